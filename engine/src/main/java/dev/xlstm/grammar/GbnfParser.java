package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.OneOf;
import dev.xlstm.grammar.RuleBody.Repeat;
import dev.xlstm.grammar.RuleBody.RuleCall;
import dev.xlstm.grammar.RuleBody.Sequence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A recursive-descent parser for GBNF as llama.cpp defines it, without its token references. Extensions: an alternative
 * may begin on a new line with its bar, and names may contain underscores.
 */
final class GbnfParser {

    private final String text;
    private int at;
    private final Map<String, RuleBody> rules = new LinkedHashMap<>();
    private final Map<String, Integer> firstCalls = new LinkedHashMap<>(); // offset of the first reference to each rule

    GbnfParser(String text) {
        GrammarLimits.checkSource("a grammar", text);
        this.text = text;
    }

    Grammar parse() {
        skipBlanks(true);
        while (at < text.length()) {
            rule();
            skipBlanks(true);
        }
        if (!rules.containsKey("root")) {
            throw new GrammarException("the grammar has no rule \"root\"");
        }
        firstCalls.forEach((name, where) -> {
            if (!rules.containsKey(name)) {
                throw error(where, "there is no rule \"" + name + "\"");
            }
        });
        return new Grammar(rules, "root", text);
    }

    private void rule() {
        int start = at;
        String name = name();
        if (name.isEmpty()) {
            throw error(at, "the name of a rule expected, found " + found());
        }
        skipBlanks(false);
        if (!text.startsWith("::=", at)) {
            throw error(at, "\"::=\" expected after the name \"" + name + "\", found " + found());
        }
        at += 3;
        skipBlanks(true);
        RuleBody body = choice(0);
        if (at < text.length() && text.charAt(at) != '\n' && text.charAt(at) != '\r') {
            throw error(at, "the end of the rule expected, found " + found());
        }
        if (rules.putIfAbsent(name, body) != null) {
            throw error(start, "rule \"" + name + "\" is defined twice");
        }
        if (rules.size() > GrammarLimits.RULES) {
            throw error(start, "more than " + GrammarLimits.RULES + " rules");
        }
    }

    private RuleBody choice(int depth) {
        if (depth > GrammarLimits.NESTING) {
            throw error(at, "groups nested deeper than " + GrammarLimits.NESTING);
        }
        List<RuleBody> alternatives = new ArrayList<>();
        alternatives.add(sequence(depth));
        while (nextIsBar()) {
            at++;
            skipBlanks(true);
            alternatives.add(sequence(depth));
        }
        return RuleBody.choice(alternatives);
    }

    /** Skips to a bar, which may be on a later line; returns whether there is one. */
    private boolean nextIsBar() {
        int before = at;
        skipBlanks(true);
        if (at < text.length() && text.charAt(at) == '|') {
            return true;
        }
        at = before;
        return false;
    }

    private RuleBody sequence(int depth) {
        List<RuleBody> items = new ArrayList<>();
        while (at < text.length()) {
            char c = text.charAt(at);
            RuleBody item;
            if (c == '"') {
                item = literal();
            } else if (c == '[') {
                item = new OneOf(charClass());
            } else if (c == '.') {
                at++;
                item = new OneOf(CharSet.ALL);
            } else if (c == '(') {
                item = group(depth);
            } else if (isNameChar(c)) {
                int where = at;
                String name = name();
                firstCalls.putIfAbsent(name, where);
                item = new RuleCall(name);
            } else if (c == '<' || c == '!') {
                throw error(at, "references to tokens are not supported: write their text as a literal");
            } else {
                break;
            }
            items.add(repetitions(item));
            skipBlanks(depth > 0);
        }
        return items.size() == 1 ? items.get(0) : new Sequence(List.copyOf(items));
    }

    private RuleBody group(int depth) {
        int open = at++;
        skipBlanks(true);
        RuleBody body = choice(depth + 1);
        skipBlanks(true);
        if (at == text.length()) {
            throw error(open, "this \"(\" is never closed");
        }
        if (text.charAt(at) != ')') {
            throw error(at, "\")\" expected, found " + found());
        }
        at++;
        return body;
    }

    private RuleBody repetitions(RuleBody item) {
        RuleBody repeated = item;
        int count = 0;
        while (true) {
            int before = at;
            skipBlanks(false);
            char c = at < text.length() ? text.charAt(at) : 0;
            if (c != '*' && c != '+' && c != '?' && c != '{') {
                at = before;
                return repeated;
            }
            if (++count > GrammarLimits.NESTING) {
                throw error(at, "more than " + GrammarLimits.NESTING + " repetitions of repetitions");
            }
            at++;
            repeated = switch (c) {
                case '*' -> new Repeat(repeated, 0, RuleBody.UNLIMITED);
                case '+' -> new Repeat(repeated, 1, RuleBody.UNLIMITED);
                case '?' -> new Repeat(repeated, 0, 1);
                default -> braces(repeated);
            };
        }
    }

    /** After the opening brace. */
    private RuleBody braces(RuleBody item) {
        int open = at;
        skipBlanks(false);
        int min = number();
        int max = min;
        skipBlanks(false);
        if (at < text.length() && text.charAt(at) == ',') {
            at++;
            skipBlanks(false);
            boolean bounded = at < text.length() && text.charAt(at) != '}';
            max = bounded ? number() : RuleBody.UNLIMITED;
            skipBlanks(false);
        }
        if (at == text.length() || text.charAt(at) != '}') {
            throw error(at, "\"}\" expected, found " + found());
        }
        at++;
        if (max != RuleBody.UNLIMITED && max < min) {
            throw error(open, "at least " + min + " and at most " + max + " repetitions are impossible");
        }
        return new Repeat(item, min, max);
    }

    private int number() {
        int start = at;
        int value = 0;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            value = value * 10 + text.charAt(at++) - '0';
            if (value > GrammarLimits.REPETITIONS) {
                throw error(start, "more than " + GrammarLimits.REPETITIONS + " repetitions");
            }
        }
        if (at == start) {
            throw error(at, "a number of repetitions expected, found " + found());
        }
        return value;
    }

    private RuleBody literal() {
        int open = at++;
        StringBuilder chars = new StringBuilder();
        while (true) {
            requireOpen(open, "literal");
            if (text.charAt(at) == '"') {
                at++;
                return new Literal(chars.toString());
            }
            chars.appendCodePoint(character());
        }
    }

    private CharSet charClass() {
        int open = at++;
        boolean negated = at < text.length() && text.charAt(at) == '^';
        if (negated) {
            at++;
        }
        List<CharSet.Range> ranges = new ArrayList<>();
        while (true) {
            requireOpen(open, "class");
            if (text.charAt(at) == ']') {
                at++;
                break;
            }
            int where = at;
            int first = character();
            int last = first;
            if (at + 1 < text.length() && text.charAt(at) == '-' && text.charAt(at + 1) != ']') {
                at++;
                requireOpen(open, "class");
                last = character();
                if (last < first) {
                    throw error(where, "this range of characters runs backwards");
                }
            }
            ranges.add(new CharSet.Range(first, last));
        }
        CharSet set = CharSet.of(ranges);
        set = negated ? set.negate() : set;
        if (set.isEmpty()) {
            throw error(open, "this class contains no character");
        }
        return set;
    }

    private void requireOpen(int open, String what) {
        if (at >= text.length() || text.charAt(at) == '\n' || text.charAt(at) == '\r') {
            throw error(open, "this " + what + " is not closed on its line");
        }
    }

    /** A character or an escape sequence. */
    private int character() {
        int where = at;
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        if (c == '\\') {
            int escape = at < text.length() ? text.charAt(at++) : 0;
            c = switch (escape) {
                case 'n' -> '\n';
                case 't' -> '\t';
                case 'r' -> '\r';
                case '\\', '"', '[', ']', '-', '^' -> escape;
                case 'x' -> hex(where, 2);
                case 'u' -> hex(where, 4);
                case 'U' -> hex(where, 8);
                default ->
                    throw error(
                            where,
                            "unknown escape; there are \\n \\t \\r \\\\ \\\" \\[ \\] \\- \\^ \\xNN "
                                    + "\\uNNNN \\UNNNNNNNN");
            };
        }
        if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE || c > CharSet.MAX) {
            throw error(where, String.format("U+%04X is not a character", c));
        }
        return c;
    }

    private int hex(int where, int digits) {
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
            if (digit < 0 || text.charAt(at) > 'f') {
                throw error(where, digits + " hexadecimal digits expected in this escape");
            }
            value = value * 16 + digit;
            at++;
        }
        return (int) Math.min(value, Integer.MAX_VALUE);
    }

    private String name() {
        int start = at;
        while (at < text.length() && isNameChar(text.charAt(at))) {
            at++;
        }
        return text.substring(start, at);
    }

    private static boolean isNameChar(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_';
    }

    /** Skips blanks and comments. */
    private void skipBlanks(boolean newlines) {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                while (at < text.length() && text.charAt(at) != '\n' && text.charAt(at) != '\r') {
                    at++;
                }
            } else if (c == ' ' || c == '\t' || newlines && (c == '\n' || c == '\r')) {
                at++;
            } else {
                return;
            }
        }
    }

    private String found() {
        if (at >= text.length()) {
            return "the end of the grammar";
        }
        int c = text.codePointAt(at);
        return c < ' '
                ? c == '\n' || c == '\r' ? "the end of the line" : String.format("U+%04X", c)
                : "\"" + Character.toString(c) + "\"";
    }

    private GrammarException error(int where, String problem) {
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < where; i++) {
            if (text.charAt(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        int column = text.codePointCount(lineStart, where) + 1;
        return new GrammarException("line " + line + ", column " + column + ": " + problem);
    }
}
