package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Strings as Python treats them: white space, splitting, indexing by code points. */
final class PythonText {

    private PythonText() {}

    /** {@code str.isspace} of one char; no white space lies outside the basic plane. */
    static boolean isSpace(int c) {
        return c >= 9 && c <= 13
                || c >= 0x1c && c <= 0x20
                || c == 0x85
                || c == 0xa0
                || c == 0x1680
                || c >= 0x2000 && c <= 0x200a
                || c == 0x2028
                || c == 0x2029
                || c == 0x202f
                || c == 0x205f
                || c == 0x3000;
    }

    private static boolean stripped(String chars, int codePoint) {
        return chars == null ? isSpace(codePoint) : chars.indexOf(codePoint) >= 0;
    }

    /** @param chars to strip, null for white space */
    static String lstrip(String text, String chars) {
        int from = 0;
        while (from < text.length() && stripped(chars, text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }
        return text.substring(from);
    }

    /** @param chars to strip, null for white space */
    static String rstrip(String text, String chars) {
        int to = text.length();
        while (to > 0 && stripped(chars, text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return text.substring(0, to);
    }

    static String strip(String text, String chars) {
        return rstrip(lstrip(text, chars), chars);
    }

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** The code points from {@code from} on, {@code step} apart, {@code count} of them. */
    static String pick(String text, int from, int step, int count) {
        if (step == 1) {
            int begin = text.offsetByCodePoints(0, from);
            return text.substring(begin, text.offsetByCodePoints(begin, count));
        }
        int[] codePoints = text.codePoints().toArray();
        StringBuilder picked = new StringBuilder();
        for (int i = 0; i < count; i++) {
            picked.appendCodePoint(codePoints[from + i * step]);
        }
        return picked.toString();
    }

    /** @param max splits, from the left; -1 for any number */
    static List<Object> split(String text, String separator, long max) {
        List<Object> parts = new ArrayList<>();
        if (separator != null) {
            int from = 0;
            for (int at = text.indexOf(separator);
                    at >= 0 && (max < 0 || parts.size() < max);
                    at = text.indexOf(separator, from)) {
                parts.add(text.substring(from, at));
                from = at + separator.length();
            }
            parts.add(text.substring(from));
            return parts;
        }
        String rest = lstrip(text, null);
        while (!rest.isEmpty()) {
            int end = 0;
            while (end < rest.length() && !isSpace(rest.charAt(end))) {
                end++;
            }
            if (max >= 0 && parts.size() >= max) {
                end = rest.length();
            }
            parts.add(rest.substring(0, end));
            rest = lstrip(rest.substring(end), null);
        }
        return parts;
    }

    /** As {@link #split}, from the right. */
    static List<Object> rsplit(String text, String separator, long max) {
        List<Object> parts = new ArrayList<>();
        if (separator != null) {
            int to = text.length();
            while (max < 0 || parts.size() < max) {
                int at = to < separator.length() ? -1 : text.lastIndexOf(separator, to - separator.length());
                if (at < 0) {
                    break;
                }
                parts.add(0, text.substring(at + separator.length(), to));
                to = at;
            }
            parts.add(0, text.substring(0, to));
            return parts;
        }
        String rest = rstrip(text, null);
        while (!rest.isEmpty()) {
            int begin = rest.length();
            while (begin > 0 && !isSpace(rest.charAt(begin - 1))) {
                begin--;
            }
            if (max >= 0 && parts.size() >= max) {
                begin = 0;
            }
            parts.add(0, rest.substring(begin));
            rest = rstrip(rest.substring(0, begin), null);
        }
        return parts;
    }

    static List<Object> splitLines(String text) {
        List<Object> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 10 && c <= 13 || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029) {
                lines.add(text.substring(from, i));
                if (c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
                from = i + 1;
            }
        }
        if (from < text.length()) {
            lines.add(text.substring(from));
        }
        return lines;
    }

    /** First letter of each word large, the others small. */
    static String title(String text) {
        StringBuilder result = new StringBuilder();
        boolean inWord = false;
        for (int c : text.codePoints().toArray()) {
            result.append(
                    inWord
                            ? Character.toString(c).toLowerCase(Locale.ROOT)
                            : Character.toString(Character.toTitleCase(c)));
            inWord = Character.isLetter(c);
        }
        return result.toString();
    }

    /** The value of a string literal's inside. */
    static String unescape(String literal) {
        if (literal.indexOf('\\') < 0) {
            return literal;
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < literal.length(); i++) {
            char c = literal.charAt(i);
            if (c != '\\' || i + 1 == literal.length()) {
                text.append(c);
                continue;
            }
            char escape = literal.charAt(++i);
            switch (escape) {
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'r' -> text.append('\r');
                case 'b' -> text.append('\b');
                case 'f' -> text.append('\f');
                case 'a' -> text.append('\u0007');
                case 'v' -> text.append('\u000b');
                case '0' -> text.append('\0');
                case '\\', '\'', '"' -> text.append(escape);
                case '\n' -> {}
                case 'x', 'u', 'U' -> {
                    int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
                    try {
                        text.appendCodePoint(Integer.parseInt(literal.substring(i + 1, i + 1 + digits), 16));
                    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                        throw new JinjaException("malformed escape \\" + escape + " in a string");
                    }
                    i += digits;
                }
                default -> text.append('\\').append(escape);
            }
        }
        return text.toString();
    }
}
