package dev.xlstm.cli.options;

import java.util.Arrays;

/** Token ids as text: decimal numbers separated by commas or white space. */
public final class IdList {

    private IdList() {}

    /**
     * Parses ids; a byte order mark at the beginning is left out.
     *
     * @throws IllegalArgumentException quoting what is not an id
     */
    public static int[] parse(String text) {
        int[] ids = new int[16];
        int count = 0;
        int end = text.length();
        for (int at = text.startsWith("\uFEFF") ? 1 : 0; at < end; ) { // not a byte order mark
            if (isSeparator(text.charAt(at))) {
                at++;
                continue;
            }
            int from = at;
            while (at < end && !isSeparator(text.charAt(at))) {
                at++;
            }
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, 2 * count);
            }
            ids[count++] = id(text.substring(from, at));
        }
        return Arrays.copyOf(ids, count);
    }

    private static boolean isSeparator(char c) {
        return c == ',' || Character.isWhitespace(c);
    }

    private static int id(String word) {
        try {
            int id = Integer.parseInt(word);
            if (id >= 0) {
                return id;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        String shown = word.length() > 20 ? word.substring(0, 20) + "..." : word;
        throw new IllegalArgumentException("'" + shown + "' is not a token id");
    }

    /** Formats ids, separated by blanks. */
    public static String format(int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < ids.length; i++) {
            text.append(i == 0 ? "" : " ").append(ids[i]);
        }
        return text.toString();
    }
}
