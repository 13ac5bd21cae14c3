package dev.xlstm.tokenizer;

/** Cuts a stretch into smaller ones around the matches of a pattern. */
final class SplitStage implements Stage {
    /** The treatment of a match, named as in tokenizer.json. */
    enum Behavior {
        REMOVED,
        ISOLATED,
        MERGED_WITH_PREVIOUS,
        MERGED_WITH_NEXT,
        CONTIGUOUS;

        /** Whether two neighbouring pieces, each a delimiter or not, stay together. */
        boolean joins(boolean delimiter, boolean nextDelimiter) {
            return switch (this) {
                case REMOVED, ISOLATED -> false;
                case MERGED_WITH_PREVIOUS -> !delimiter && nextDelimiter;
                case MERGED_WITH_NEXT -> delimiter && !nextDelimiter;
                case CONTIGUOUS -> delimiter == nextDelimiter;
            };
        }
    }

    /** Held text up to this length is searched again with every part that arrives; longer text when it has grown. */
    private static final int EAGER_CHARS = 4096;

    private final SplitPattern pattern;
    private final Behavior behavior;
    private final boolean invert;
    private final Stage next;

    private final TextBuffer text = new TextBuffer();
    private int lookAgain; // length of held text at which to look again
    private boolean afterMatch; // the held text follows a match: an empty one there does not count
    private boolean inGap; // a piece between matches is begun
    private boolean open; // the last piece may join the next one
    private boolean delimiter; // the last piece was one

    /** With {@code invert} the text between the matches is the delimiter. */
    SplitStage(SplitPattern pattern, Behavior behavior, boolean invert, Stage next) {
        this.pattern = pattern.forOneEncoder();
        this.behavior = behavior;
        this.invert = invert;
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        text.append(chars, from, to);
        if (text.length >= lookAgain) {
            text.drop(split(false));
            int grown = Math.min(text.length + text.length / 4, TokenizerLimits.PIECE_CHARS);
            lookAgain = text.length < EAGER_CHARS ? 0 : grown;
        }
    }

    @Override
    public void end() {
        split(true);
        finishGap();
        text.length = 0;
        lookAgain = 0;
        afterMatch = false;
        open = false;
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }

    /** Passes on what is decided; returns where the rest begins. */
    private int split(boolean last) {
        int from = 0;
        while (from < text.length) {
            int to = windowEnd(from);
            long found = find(from, to, last && to == text.length);
            boolean full = to < text.length || to - from == TokenizerLimits.PIECE_CHARS;
            if (found == ~(long) from && full) {
                found = find(from, to, true); // a full window is all that the pattern sees from here
            }
            if (found < 0) {
                int certain = (int) ~found;
                gap(from, certain);
                if (certain == from || certain == text.length) {
                    return certain;
                }
                from = certain;
                continue;
            }
            int start = (int) (found >>> 32);
            int end = (int) found;
            gap(from, start);
            finishGap();
            begin(!invert);
            pass(start, end);
            finish();
            afterMatch = true;
            from = end;
        }
        return from;
    }

    private long find(int from, int to, boolean last) {
        long found = pattern.find(text.chars, from, to, last);
        if (afterMatch && found == SplitPattern.match(from, from)) {
            int after = from + CharClass.length(text.chars, from);
            found = after < to || last ? pattern.find(text.chars, after, to, last) : -1;
            if (found < 0 && !last) {
                found = ~(long) from; // an empty match that counts may follow, or a longer one
            }
        }
        return found;
    }

    private int windowEnd(int from) {
        if (text.length - from <= TokenizerLimits.PIECE_CHARS) {
            return text.length;
        }
        int to = from + TokenizerLimits.PIECE_CHARS;
        return Character.isHighSurrogate(text.chars[to - 1]) ? to - 1 : to;
    }

    private void gap(int from, int to) {
        if (from < to) {
            if (!inGap) {
                begin(invert);
                inGap = true;
            }
            afterMatch = false;
            pass(from, to);
        }
    }

    private void finishGap() {
        if (inGap) {
            inGap = false;
            finish();
        }
    }

    private void begin(boolean isDelimiter) {
        if (open && !behavior.joins(delimiter, isDelimiter)) {
            next.end();
        }
        delimiter = isDelimiter;
    }

    private void pass(int from, int to) {
        if (from < to && !(delimiter && behavior == Behavior.REMOVED)) {
            next.text(text.chars, from, to);
        }
    }

    private void finish() {
        open = behavior.joins(delimiter, true) || behavior.joins(delimiter, false);
        if (!open) {
            next.end();
        }
    }
}
