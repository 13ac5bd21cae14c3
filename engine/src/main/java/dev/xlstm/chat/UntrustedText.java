package dev.xlstm.chat;

import dev.xlstm.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Keeps what users write from becoming special tokens. Before a template sees a user's text, a mark goes behind each
 * character in it that may begin a special token and before each that may end one; the mark survives what templates do
 * with text. A special token in the rendering then is the template's own, for neither its first nor its last character
 * comes from a user.
 */
final class UntrustedText {

    /** Characters that Unicode sets aside for inner use: no text holds them. */
    private static final char MARK = '\uFDD0';

    private static final char PLACE_BEGIN = '\uFDD1';
    private static final char PLACE_END = '\uFDD2';

    private final Tokenizer tokenizer;
    private final List<String> special = new ArrayList<>(); // longest first
    private final List<Integer> specialIds = new ArrayList<>();

    UntrustedText(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            if (tokenizer.isSpecial(id)) {
                ids.add(id);
            }
        }
        ids.sort((a, b) -> tokenizer.token(b).length() - tokenizer.token(a).length());
        for (int id : ids) {
            special.add(tokenizer.token(id));
            specialIds.add(id);
        }
    }

    /** The text with marks, to be put into a template. */
    String marked(String text) {
        StringBuilder marked = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= MARK && c <= PLACE_END) {
                marked.append('\uFFFD');
                continue;
            }
            boolean begins = false;
            boolean ends = false;
            for (String token : special) {
                begins |= token.charAt(0) == c;
                ends |= token.charAt(token.length() - 1) == c;
            }
            if (ends) {
                marked.append(MARK);
            }
            marked.append(c);
            if (begins) {
                marked.append(MARK);
            }
        }
        return marked.toString();
    }

    /** What stands in a message for a document whose text the template need not see. */
    static String placeholder(int id) {
        return PLACE_BEGIN + Integer.toString(id) + PLACE_END;
    }

    static String unmarked(String text) {
        return text.replace(String.valueOf(MARK), "");
    }

    /** The ids of rendered text: as the tokenizer has them, but for special tokens that users wrote. */
    int[] encode(String marked) {
        String plain = unmarked(marked);
        if (plain.length() == marked.length() || found(plain).equals(found(marked))) {
            return tokenizer.encode(plain, true);
        }
        List<int[]> parts = new ArrayList<>();
        int from = 0;
        for (int at = 0; at < marked.length(); ) {
            int token = tokenAt(marked, at);
            if (token < 0) {
                at++;
                continue;
            }
            parts.add(tokenizer.encode(unmarked(marked.substring(from, at)), false));
            parts.add(new int[] {specialIds.get(token)});
            at += special.get(token).length();
            from = at;
        }
        parts.add(tokenizer.encode(unmarked(marked.substring(from)), false));
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** The special tokens in a text, in order. */
    private List<Integer> found(String text) {
        List<Integer> found = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            int token = tokenAt(text, at);
            if (token >= 0) {
                found.add(token);
            }
            at += token < 0 ? 1 : special.get(token).length();
        }
        return found;
    }

    private int tokenAt(String text, int at) {
        for (int i = 0; i < special.size(); i++) {
            if (text.startsWith(special.get(i), at)) {
                return i;
            }
        }
        return -1;
    }

    /** The special token that a text begins with, -1 if there is none. */
    int firstToken(String text) {
        int token = text.isEmpty() ? -1 : tokenAt(text, 0);
        return token < 0 ? -1 : specialIds.get(token);
    }
}
