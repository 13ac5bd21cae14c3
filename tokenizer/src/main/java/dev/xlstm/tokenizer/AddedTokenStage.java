package dev.xlstm.tokenizer;

import java.util.BitSet;

/**
 * Finds added tokens in the text: the leftmost, then the longest. A token takes the white space that it strips; a
 * single-word token needs a non-word character or an end of the stretch on either side.
 */
final class AddedTokenStage implements Stage {
    private final AddedTokens tokens;
    private final BitSet asText;
    private final Stage next;

    private final TextBuffer text = new TextBuffer();
    private int start; // text before it is passed on, or part of a token
    private int scan; // no token that is not passed on begins before it
    private int solid; // text[solid, scan) is white space; lstrip cannot reach text before it
    private boolean stripping; // the last token takes the white space at start

    /** @param asText ids of tokens that stay ordinary text */
    AddedTokenStage(AddedTokens tokens, BitSet asText, Stage next) {
        this.tokens = tokens;
        this.asText = asText;
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        text.append(chars, from, to);
        scan(false);
        passOn(tokens.anyLstrip() ? Math.max(solid, scan - TokenizerLimits.PIECE_CHARS) : scan);
        int done = start - 2; // a code point stays for single-word tokens to look back at
        if (done > text.length / 2) {
            text.drop(done);
            start -= done;
            scan -= done;
            solid -= done;
        }
    }

    @Override
    public void end() {
        scan(true);
        passOn(text.length);
        text.length = 0;
        start = 0;
        scan = 0;
        solid = 0;
        stripping = false;
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }

    private void scan(boolean last) {
        char[] chars = text.chars;
        while (scan < text.length) {
            AddedTokens.Match match = null;
            if (tokens.mayStartWith(chars[scan])) {
                match = tokens.longest(chars, scan, text.length, last);
                if (match == AddedTokens.UNDECIDED) {
                    return;
                }
            }
            if (match == null) {
                step(scan + 1);
                continue;
            }
            int end = scan + match.length();
            AddedToken token = match.token();
            if (token.singleWord() && end == text.length && !last) {
                return; // the char after it decides
            }
            if (asText.get(token.id()) || token.singleWord() && !standsAlone(scan, end)) {
                step(end);
                continue;
            }
            int from = scan;
            if (token.lstrip()) {
                from = Math.max(solid, scan - TokenizerLimits.PIECE_CHARS);
            }
            passOn(from);
            next.end();
            next.token(token.id());
            start = end;
            stripping = token.rstrip();
            step(end);
        }
    }

    private void step(int to) {
        for (; scan < to; scan++) {
            if (!CharClass.isSpace(text.chars[scan])) {
                solid = scan + 1;
            }
        }
    }

    private void passOn(int to) {
        if (stripping) {
            while (start < to && CharClass.isSpace(text.chars[start])) {
                start++;
            }
            stripping = start >= to;
        }
        if (start < to) {
            next.text(text.chars, start, to);
            start = to;
        }
    }

    private boolean standsAlone(int from, int to) {
        return (from == 0 || !CharClass.isWord(Character.codePointBefore(text.chars, from, 0)))
                && (to == text.length || !CharClass.isWord(Character.codePointAt(text.chars, to, text.length)));
    }
}
