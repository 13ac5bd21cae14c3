package dev.xlstm.chat;

/** The beginning of a text, in one line. */
public final class Excerpt {

    private Excerpt() {}

    /** At most so many characters; white space becomes single blanks, and an ellipsis says that the text goes on. */
    public static String of(String text, int maxChars) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.codePointCount(0, line.length()) <= maxChars
                ? line
                : line.substring(0, line.offsetByCodePoints(0, maxChars - 1)) + "…";
    }
}
