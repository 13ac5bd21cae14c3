package dev.xlstm.chat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Stands in a text for a part whose own text is unknown to the template: a document, of which only the ids are kept, or an
 * answer that has not been given. Half a surrogate pair on either side sets it apart from any valid text.
 */
final class Placeholder {

    private static final char EDGE = '\uDC00';
    private static final Pattern PLACEHOLDER = Pattern.compile(EDGE + "(\\d{1,9})" + EDGE);

    private Placeholder() {}

    /** @param id of the turn that the part belongs to */
    static String of(int id) {
        return EDGE + Integer.toString(id) + EDGE;
    }

    /** Finds placeholders; the first group is the turn's id. */
    static Matcher in(CharSequence text) {
        return PLACEHOLDER.matcher(text);
    }

    /** Replaces unpaired surrogates by U+FFFD, as the tokenizer does: users' text then holds no placeholder. */
    static String without(String text) {
        StringBuilder valid = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
                i++;
                continue;
            }
            valid = valid == null ? new StringBuilder(text) : valid;
            valid.setCharAt(i, '\uFFFD');
        }
        return valid == null ? text : valid.toString();
    }
}
