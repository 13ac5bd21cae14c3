package dev.xlstm.cli.console;

import java.util.Collection;

/** Suggests a known name for a misspelt one. */
public final class SpellingSuggestion {

    private SpellingSuggestion() {}

    /** Returns {@code did you mean X?}, or {@code otherwise} if no name is similar. */
    public static String hint(String typed, Collection<String> names, String otherwise) {
        String nearest = null;
        int least = Math.max(1, typed.length() / 3) + 1; // edits: with more, it is another word
        for (String name : names) {
            int edits = name.startsWith(typed) && typed.length() > 1 ? 1 : edits(typed, name);
            if (edits < least) {
                least = edits;
                nearest = name;
            }
        }
        return nearest == null ? otherwise : "did you mean " + nearest + "?";
    }

    /** The optimal string alignment distance: inserted, deleted, replaced and transposed characters. */
    private static int edits(String a, String b) {
        int[][] least = new int[a.length() + 1]
                [b.length() + 1]; // [i][j]: distance of the first i characters of a and the first j of b
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    least[i][j] = i + j;
                    continue;
                }
                int same = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                int edits = Math.min(Math.min(least[i - 1][j], least[i][j - 1]) + 1, least[i - 1][j - 1] + same);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                least[i][j] = swapped ? Math.min(edits, least[i - 2][j - 2] + 1) : edits;
            }
        }
        return least[a.length()][b.length()];
    }
}
