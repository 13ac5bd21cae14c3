package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/** Operations of Python's str: indices count code points, white space is Unicode's. */
final class PythonStrings {

    private PythonStrings() {}

    /** {@code str.isspace} of one character; white space is in the basic plane. */
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

    private static boolean isStripped(String chars, int codePoint) {
        return chars == null ? isSpace(codePoint) : chars.indexOf(codePoint) >= 0;
    }

    /**
     * @param chars to strip, null for white space
     */
    static TrackedString lstrip(TrackedString text, String chars) {
        String s = text.toString();
        int from = 0;
        while (from < s.length() && isStripped(chars, s.codePointAt(from))) {
            from += Character.charCount(s.codePointAt(from));
        }
        return text.substring(from);
    }

    /**
     * @param chars to strip, null for white space
     */
    static TrackedString rstrip(TrackedString text, String chars) {
        return text.substring(0, rstripped(text.toString(), chars));
    }

    /** The length of the text without trailing characters to strip. */
    static int rstripped(String s, String chars) {
        int to = s.length();
        while (to > 0 && isStripped(chars, s.codePointBefore(to))) {
            to -= Character.charCount(s.codePointBefore(to));
        }
        return to;
    }

    static TrackedString strip(TrackedString text, String chars) {
        return rstrip(lstrip(text, chars), chars);
    }

    static int length(TrackedString text) {
        return text.toString().codePointCount(0, text.length());
    }

    static List<Object> characters(TrackedString text) {
        List<Object> characters = new ArrayList<>();
        String s = text.toString();
        for (int i = 0; i < s.length(); ) {
            int end = i + Character.charCount(s.codePointAt(i));
            characters.add(text.substring(i, end));
            i = end;
        }
        return characters;
    }

    /** {@code count} code points from {@code from} on, {@code step} apart. */
    static TrackedString pick(TrackedString text, int from, int step, int count) {
        String s = text.toString();
        int begin = s.offsetByCodePoints(0, from);
        if (step == 1) {
            return text.substring(begin, s.offsetByCodePoints(begin, count));
        }
        if (text.isUniform()) {
            int[] codePoints = s.codePoints().toArray();
            StringBuilder picked = new StringBuilder();
            for (int i = 0; i < count; i++) {
                picked.appendCodePoint(codePoints[from + i * step]);
            }
            return text.derive(picked.toString());
        }
        TrackedStringBuilder picked = new TrackedStringBuilder(new Budget());
        for (int i = 0; i < count; i++) {
            int end = s.offsetByCodePoints(begin, 1);
            picked.append(text, begin, end);
            begin = i + 1 < count ? s.offsetByCodePoints(begin, step) : begin;
        }
        return picked.build();
    }

    /**
     * @param separator null for runs of white space
     * @param max number of splits from the left; negative for no limit
     */
    static List<Object> split(TrackedString text, String separator, long max) {
        List<Object> parts = new ArrayList<>();
        String s = text.toString();
        if (separator != null) {
            int from = 0;
            for (int at = s.indexOf(separator);
                    at >= 0 && (max < 0 || parts.size() < max);
                    at = s.indexOf(separator, from)) {
                parts.add(text.substring(from, at));
                from = at + separator.length();
            }
            parts.add(text.substring(from));
            return parts;
        }
        for (int at = skip(s, 0, true); at < s.length(); ) {
            int end = max >= 0 && parts.size() >= max ? s.length() : skip(s, at, false);
            parts.add(text.substring(at, end));
            at = skip(s, end, true);
        }
        return parts;
    }

    /** The first index from {@code at} on whose char is white space or not, as asked. */
    private static int skip(String s, int at, boolean space) {
        int i = at;
        while (i < s.length() && isSpace(s.charAt(i)) == space) {
            i++;
        }
        return i;
    }

    /** Like {@link #split}, from the right. */
    static List<Object> rsplit(TrackedString text, String separator, long max) {
        List<Object> parts = new ArrayList<>();
        String s = text.toString();
        int to = s.length();
        if (separator != null) {
            while (max < 0 || parts.size() < max) {
                int at = to < separator.length() ? -1 : s.lastIndexOf(separator, to - separator.length());
                if (at < 0) {
                    break;
                }
                parts.add(text.substring(at + separator.length(), to));
                to = at;
            }
            parts.add(text.substring(0, to));
            return parts.reversed();
        }
        to = skipBack(s, to, true);
        while (to > 0) {
            int begin = max >= 0 && parts.size() >= max ? 0 : skipBack(s, to, false);
            parts.add(text.substring(begin, to));
            to = skipBack(s, begin, true);
        }
        return parts.reversed();
    }

    private static int skipBack(String s, int at, boolean space) {
        int i = at;
        while (i > 0 && isSpace(s.charAt(i - 1)) == space) {
            i--;
        }
        return i;
    }

    static List<Object> splitLines(TrackedString text, boolean keepEnds) {
        List<Object> lines = new ArrayList<>();
        String s = text.toString();
        int from = 0;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c >= 10 && c <= 13 || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029) {
                int end = i;
                if (c == '\r' && i + 1 < s.length() && s.charAt(i + 1) == '\n') {
                    i++;
                }
                lines.add(text.substring(from, keepEnds ? i + 1 : end));
                from = i + 1;
            }
        }
        if (from < s.length()) {
            lines.add(text.substring(from));
        }
        return lines;
    }

    /**
     * @param count the most replacements; negative for no limit
     */
    static TrackedString replace(Budget budget, TrackedString text, String old, TrackedString with, long count) {
        String s = text.toString();
        if (count == 0 || old.length() > s.length() || !s.contains(old)) {
            return text;
        }
        TrackedStringBuilder result = new TrackedStringBuilder(budget);
        int from = 0;
        for (long i = 0; i != count && from <= s.length(); i++) {
            int at = s.indexOf(old, from);
            if (at < 0) {
                break;
            }
            result.append(text, from, at).append(with);
            from = at + old.length();
            if (old.isEmpty()) {
                if (from == s.length()) {
                    return result.build();
                }
                int next = s.offsetByCodePoints(from, 1);
                result.append(text, from, next);
                from = next;
            }
        }
        return result.append(text, from, s.length()).build();
    }

    /** Joins strings. */
    static TrackedString join(Budget budget, TrackedString separator, List<?> items) {
        TrackedStringBuilder joined = new TrackedStringBuilder(budget);
        boolean first = true;
        for (Object item : items) {
            joined.append(first ? TrackedString.EMPTY : separator).append(Values.string(item));
            first = false;
        }
        return joined.build();
    }

    static int count(String text, String part) {
        if (part.isEmpty()) {
            return text.codePointCount(0, text.length()) + 1;
        }
        int count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    static TrackedString upper(Budget budget, TrackedString text) {
        return map(budget, text, s -> s.toUpperCase(Locale.ROOT));
    }

    static TrackedString lower(Budget budget, TrackedString text) {
        return map(budget, text, s -> s.toLowerCase(Locale.ROOT));
    }

    /** Full case folding, by way of upper case: exact but for a few characters such as the dotless i. */
    static TrackedString casefold(Budget budget, TrackedString text) {
        return map(budget, text, s -> s.equals("\u0131") ? s : fold(s));
    }

    private static String fold(String s) {
        return s.indexOf('\u0131') >= 0
                ? s
                : s.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT).replace('\u03c2', '\u03c3');
    }

    /** Applies a case mapping, which may depend on the neighbours and change the length. */
    private static TrackedString map(Budget budget, TrackedString text, UnaryOperator<String> mapping) {
        budget.chars(text.length());
        String mapped = mapping.apply(text.toString());
        if (text.isUniform()) {
            return text.derive(mapped);
        } else if (mapped.length() == text.length()) {
            return text.replaceChars(mapped).asText();
        }
        TrackedStringBuilder result = new TrackedStringBuilder(budget);
        for (Object character : characters(text)) {
            TrackedString c = (TrackedString) character;
            result.append(c.derive(mapping.apply(c.toString())));
        }
        return result.build();
    }

    /** The code point's title case as a string. */
    private static String titleCase(int c) {
        int title = Character.toTitleCase(c);
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        if (title != c || upper.length() <= Character.charCount(c)) {
            return Character.toString(title);
        }
        // one letter becomes several, such as the sharp s: only the first stays upper case
        return c == '\u0149' ? upper : upper.charAt(0) + upper.substring(1).toLowerCase(Locale.ROOT);
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    /** {@code str.title}: a letter after one that has no case begins a word. */
    static TrackedString title(Budget budget, TrackedString text) {
        TrackedStringBuilder result = new TrackedStringBuilder(budget);
        boolean inWord = false;
        for (Object character : characters(text)) {
            TrackedString c = (TrackedString) character;
            int codePoint = c.toString().codePointAt(0);
            result.append(c.derive(inWord ? c.toString().toLowerCase(Locale.ROOT) : titleCase(codePoint)));
            inWord = isCased(codePoint);
        }
        return result.build();
    }

    static TrackedString capitalize(Budget budget, TrackedString text) {
        if (text.length() == 0) {
            return text;
        }
        int c = text.toString().codePointAt(0);
        int first = Character.charCount(c);
        return text.substring(0, first).derive(titleCase(c)).concat(lower(budget, text.substring(first)));
    }

    static TrackedString swapcase(Budget budget, TrackedString text) {
        TrackedStringBuilder result = new TrackedStringBuilder(budget);
        for (Object character : characters(text)) {
            TrackedString c = (TrackedString) character;
            String s = c.toString();
            result.append(c.derive(
                    Character.isUpperCase(s.codePointAt(0)) ? s.toLowerCase(Locale.ROOT) : s.toUpperCase(Locale.ROOT)));
        }
        return result.build();
    }

    /** Whether the text has cased characters and all of them pass the test. */
    static boolean allCased(String text, IntPredicate test) {
        return text.codePoints().anyMatch(PythonStrings::isCased)
                && text.codePoints().filter(PythonStrings::isCased).allMatch(test);
    }

    static boolean isTitle(String text) {
        boolean inWord = false;
        boolean any = false;
        for (int c : text.codePoints().toArray()) {
            boolean upper = Character.isUpperCase(c) || Character.isTitleCase(c);
            if (upper && inWord || Character.isLowerCase(c) && !inWord) {
                return false;
            }
            inWord = isCased(c);
            any |= inWord;
        }
        return any;
    }

    static boolean isAlphabetic(int c) {
        return Character.isLetter(c);
    }

    static boolean isDecimal(int c) {
        return Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER;
    }

    /** Superscript and circled digits are digits, too. */
    static boolean isDigit(int c) {
        return isDecimal(c)
                || c == 0xb2
                || c == 0xb3
                || c == 0xb9
                || c == 0x2070
                || c >= 0x2074 && c <= 0x2079
                || c >= 0x2080 && c <= 0x2089
                || c >= 0x2460 && c <= 0x2468
                || c >= 0x2474 && c <= 0x247c
                || c >= 0x2488 && c <= 0x2490;
    }

    static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return isDigit(c) || type == Character.LETTER_NUMBER || type == Character.OTHER_NUMBER;
    }

    static boolean isAlphanumeric(int c) {
        return isAlphabetic(c) || isNumeric(c);
    }

    /** The value of a string literal's content. */
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
                case '\\', '\'', '"' -> text.append(escape);
                case '\n' -> {}
                case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                    int end = i + 1;
                    while (end < literal.length() && end < i + 3 && "01234567".indexOf(literal.charAt(end)) >= 0) {
                        end++;
                    }
                    text.append((char) Integer.parseInt(literal.substring(i, end), 8));
                    i = end - 1;
                }
                case 'x', 'u', 'U' -> {
                    int end = i + 1 + (escape == 'x' ? 2 : escape == 'u' ? 4 : 8);
                    String digits = end <= literal.length() ? literal.substring(i + 1, end) : "";
                    if (!digits.matches("[0-9a-fA-F]+") || Long.parseLong(digits, 16) > Character.MAX_CODE_POINT) {
                        throw new JinjaException("malformed escape \\" + escape + " in a string");
                    }
                    text.appendCodePoint(Integer.parseInt(digits, 16));
                    i = end - 1;
                }
                case 'N' -> {
                    int end = literal.indexOf('}', i);
                    try {
                        text.appendCodePoint(Character.codePointOf(literal.substring(i + 2, end)));
                    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                        throw new JinjaException("malformed escape \\N in a string");
                    }
                    i = end;
                }
                default -> text.append('\\').append(escape);
            }
        }
        return text.toString();
    }
}
