package dev.xlstm.cli.console;

import java.util.Collection;

/** What somebody may have meant who typed a name that does not exist. */
public final class SpellingSuggestion {

    private SpellingSuggestion() {}

    /** {@code did you mean X?}, or the other thing to say if nothing is near. */
    public static String hint(String typed, Collection<String> names, String otherwise) {
        String nearest = null;
        int least = Math.max(1, typed.length() / 3) + 1; // edits; more is another word
        for (String name : names) {
            int edits = name.startsWith(typed) && typed.length() > 1 ? 1 : edits(typed, name);
            if (edits < least) {
                least = edits;
                nearest = name;
            }
        }
        return nearest == null ? otherwise : "did you mean " + nearest + "?";
    }

    /** The least number of characters to insert, delete, replace or swap with their neighbour that makes b of a. */
    private static int edits(String a, String b) {
        int[][] least = new int[a.length() + 1][b.length() + 1]; // for the first i of a and j of b
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
