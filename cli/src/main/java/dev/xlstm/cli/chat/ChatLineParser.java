package dev.xlstm.cli.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;

/**
 * Decides when a typed line is complete: not within three quotes, not after a backslash. Nothing else in a line has a
 * meaning.
 */
final class ChatLineParser implements Parser {

    private static final String QUOTES = "\"\"\"";

    private final Predicate<String> literal;

    /** @param literal tells lines that have no syntax at all */
    ChatLineParser(Predicate<String> literal) {
        this.literal = literal;
    }

    /** Words between blanks, for completion. */
    private record Words(String line, int cursor, List<String> words, int wordIndex, int wordCursor)
            implements CompletingParsedLine {
        @Override
        public String word() {
            return words.get(wordIndex);
        }

        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate;
        }

        @Override
        public int rawWordCursor() {
            return wordCursor;
        }

        @Override
        public int rawWordLength() {
            return word().length();
        }
    }

    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
        if (context == ParseContext.ACCEPT_LINE && !literal.test(line) && !isComplete(line)) {
            throw new EOFError(-1, -1, "more to come");
        }
        List<String> words = new ArrayList<>();
        int wordIndex = -1;
        int wordCursor = 0;
        int from = 0;
        for (int i = 0; i <= line.length(); i++) {
            if (i == line.length() || Character.isWhitespace(line.charAt(i))) {
                if (cursor >= from && cursor <= i && wordIndex < 0) {
                    wordIndex = words.size();
                    wordCursor = cursor - from;
                }
                words.add(line.substring(from, i));
                from = i + 1;
            }
        }
        return new Words(line, cursor, words, Math.max(0, wordIndex), wordCursor);
    }

    private static boolean isComplete(String line) {
        String stripped = line.strip();
        if (stripped.startsWith(QUOTES)) {
            return stripped.length() >= 2 * QUOTES.length() && stripped.endsWith(QUOTES);
        }
        return !line.endsWith("\\");
    }

    /** Whether a line begins as a command or a quoted text. */
    static boolean hasSyntax(String line) {
        return line.startsWith("/") || line.strip().startsWith(QUOTES);
    }

    /** The text that a complete line stands for. */
    static String text(String line) {
        String stripped = line.strip();
        if (stripped.startsWith(QUOTES) && stripped.length() >= 2 * QUOTES.length()) {
            String inside = stripped.substring(QUOTES.length(), stripped.length() - QUOTES.length());
            return inside.startsWith("\n") ? inside.substring(1).stripTrailing() : inside.stripTrailing();
        }
        return line.replace("\\\n", "\n").strip();
    }

    @Override
    public boolean isEscapeChar(char c) {
        return false;
    }

    @Override
    public boolean validCommandName(String name) {
        return false;
    }

    @Override
    public boolean validVariableName(String name) {
        return false;
    }
}
