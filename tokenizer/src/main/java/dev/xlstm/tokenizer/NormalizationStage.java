package dev.xlstm.tokenizer;

import java.text.Normalizer;

/** Brings text to a Unicode normalisation form. Holds back the last run of characters that later text may combine with. */
final class NormalizationStage implements Stage {
    /** A code point below is never combined with the one before. */
    private static final int FIRST_COMBINING = 0x300;

    private static final int BLOCK_CHARS = 1024;

    private final Normalizer.Form form;
    private final int firstChanged; // no code point below changes by itself
    private final Stage next;
    private final TextBuffer text = new TextBuffer();
    private int scan;
    private int run; // where the run of characters begins that reaches to scan and may combine
    private int block; // text before it is passed on

    NormalizationStage(Normalizer.Form form, Stage next) {
        this.form = form;
        this.next = next;
        firstChanged = switch (form) {
            case NFC -> FIRST_COMBINING;
            case NFD -> 0xC0;
            case NFKC, NFKD -> 0xA0;
        };
    }

    @Override
    public void text(char[] chars, int from, int to) {
        text.append(chars, from, to);
        while (scan < text.length) {
            int codePoint = Character.codePointAt(text.chars, scan, text.length);
            if (isBoundary(codePoint, form)) {
                run = isInert(codePoint) ? scan + 1 : scan;
                if (run - block >= BLOCK_CHARS) {
                    passOn(run);
                }
            } else if (scan - run >= TokenizerLimits.COMBINING_CHARS) {
                run = scan;
                passOn(run);
            }
            scan += Character.charCount(codePoint);
        }
        passOn(run);
        text.drop(run);
        scan -= run;
        run = 0;
        block = 0;
    }

    @Override
    public void end() {
        passOn(text.length);
        text.length = 0;
        scan = 0;
        run = 0;
        block = 0;
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }

    /** As {@link #isBoundary(int)}, for a form: the K forms replace some characters by ones that combine. */
    static boolean isBoundary(int codePoint, Normalizer.Form form) {
        if (!isBoundary(codePoint)) {
            return false;
        }
        if (codePoint < FIRST_COMBINING || form == Normalizer.Form.NFC || form == Normalizer.Form.NFD) {
            return true;
        }
        return isBoundary(Normalizer.normalize(Character.toString(codePoint), Normalizer.Form.NFKD)
                .codePointAt(0));
    }

    /**
     * Whether text before this code point and text from it on can be normalised apart, in NFC or NFD. May be false where
     * true is right.
     */
    static boolean isBoundary(int codePoint) {
        if (codePoint < FIRST_COMBINING) {
            return true;
        }
        boolean joiningJamo = codePoint >= 0x1160 && codePoint <= 0x11FF; // Hangul vowels and final consonants
        boolean kiratRaiVowel = codePoint >= 0x16D63 && codePoint <= 0x16D6A; // the other letters that join a letter
        return !CharClass.isMark(codePoint) && !joiningJamo && !kiratRaiVowel;
    }

    /** Whether no character after this code point can change it. May be false where true is right. */
    static boolean isInert(int codePoint) {
        boolean letter = codePoint >= 'a' && codePoint <= 'z' || codePoint >= 'A' && codePoint <= 'Z';
        return codePoint < 0x80 && !letter && codePoint != '<' && codePoint != '=' && codePoint != '>';
    }

    private void passOn(int to) {
        int from = block;
        block = to;
        for (int i = from; i < to; i++) {
            if (text.chars[i] >= firstChanged) {
                char[] normal = Normalizer.normalize(new String(text.chars, from, to - from), form)
                        .toCharArray();
                next.text(normal, 0, normal.length);
                return;
            }
        }
        next.text(text.chars, from, to);
    }
}
