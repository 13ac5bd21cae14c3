package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Repeat;
import java.util.ArrayList;
import java.util.List;

/**
 * Parses the common subset of regular expressions: literals, escapes, classes, groups,
 * alternatives, repetitions, and anchors at the ends. As JSON Schema defines it, an unanchored pattern may match anywhere
 * in the string.
 */
final class JsonPattern {

    private static final CharSet DIGITS = CharSet.of(new CharSet.Range('0', '9'));
    private static final CharSet WORD =
            DIGITS.plus(CharSet.of("_")).plus(CharSet.of(new CharSet.Range('a', 'z'), new CharSet.Range('A', 'Z')));
    private static final CharSet SPACE = CharSet.of(" \t\n\r\f\u000B");
    // Dialects differ in what else \s and line ends are; a character that is one in any dialect is avoided.
    private static final CharSet ANY_SPACE = SPACE.plus(
                    CharSet.of("\u0085\u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF\u001C\u001D\u001E\u001F"))
            .plus(CharSet.of(new CharSet.Range(0x2000, 0x200A), new CharSet.Range(0x180E, 0x180E)));
    private static final CharSet DOT = CharSet.of("\n\r\u0085\u2028\u2029").negate();
    private static final RuleBody PADDING = new Repeat(new RuleBody.OneOf(CharSet.ALL), 0, RuleBody.UNLIMITED);

    private final String pattern;
    private int at;

    private JsonPattern(String pattern) {
        this.pattern = pattern;
    }

    /** The strings that match, without escapes. */
    static RuleBody parse(String pattern) {
        JsonPattern parser = new JsonPattern(pattern);
        List<RuleBody> alternatives = new ArrayList<>();
        do {
            boolean fromStart = parser.take('^');
            RuleBody body = parser.sequence(0);
            boolean toEnd = parser.take('$');
            alternatives.add(
                    RuleBody.sequence(fromStart ? RuleBody.EMPTY : PADDING, body, toEnd ? RuleBody.EMPTY : PADDING));
        } while (parser.take('|'));
        if (parser.at < pattern.length()) {
            throw parser.unsupported(
                    parser.peek() == '$' || parser.peek() == '^'
                            ? "an anchor in the middle"
                            : "this \"" + (char) parser.peek() + "\"");
        }
        return RuleBody.choice(alternatives);
    }

    private int peek() {
        return at < pattern.length() ? pattern.charAt(at) : -1;
    }

    private boolean take(char c) {
        boolean there = peek() == c;
        at += there ? 1 : 0;
        return there;
    }

    private RuleBody choice(int depth) {
        if (depth > GrammarLimits.NESTING) {
            throw unsupported("groups nested deeper than " + GrammarLimits.NESTING);
        }
        List<RuleBody> alternatives = new ArrayList<>();
        do {
            alternatives.add(sequence(depth));
        } while (take('|'));
        return RuleBody.choice(alternatives);
    }

    private RuleBody sequence(int depth) {
        List<RuleBody> items = new ArrayList<>();
        while (at < pattern.length()) {
            int c = pattern.codePointAt(at);
            if (c == '|' || c == ')' || c == '$' || c == '^') {
                break;
            }
            if (c == '*' || c == '+' || c == '?' || c == '{') {
                throw unsupported("a repetition without an operand");
            }
            items.add(repetition(atom(c, depth)));
        }
        return new RuleBody.Sequence(items);
    }

    private RuleBody atom(int c, int depth) {
        at += Character.charCount(c);
        if (c == '(') {
            if (take('?')) {
                if (!take(':')) {
                    throw unsupported("\"(?\" other than \"(?:\"");
                }
            }
            RuleBody body = choice(depth + 1);
            if (!take(')')) {
                throw unsupported(at < pattern.length() ? "an anchor within a group" : "a group that is not closed");
            }
            return body;
        }
        CharSet set = c == '[' ? charClass() : c == '.' ? DOT : c == '\\' ? escape(false) : single(c);
        if (set.isEmpty()) {
            throw unsupported("an empty class");
        }
        return new RuleBody.OneOf(set);
    }

    private static CharSet single(int c) {
        return CharSet.of(new CharSet.Range(c, c));
    }

    private RuleBody repetition(RuleBody atom) {
        int min;
        int max;
        if (take('*')) {
            min = 0;
            max = RuleBody.UNLIMITED;
        } else if (take('+')) {
            min = 1;
            max = RuleBody.UNLIMITED;
        } else if (take('?')) {
            min = 0;
            max = 1;
        } else if (take('{')) {
            min = number();
            max = take(',') ? peek() == '}' ? RuleBody.UNLIMITED : number() : min;
            if (!take('}') || max != RuleBody.UNLIMITED && max < min) {
                throw unsupported("this repetition in braces");
            }
        } else {
            return atom;
        }
        take('?'); // reluctant: matches the same set of strings
        int next = peek();
        if (next == '*' || next == '+' || next == '?' || next == '{') {
            throw unsupported("a repetition of a repetition");
        }
        return new Repeat(atom, min, max);
    }

    private int number() {
        int value = 0;
        int start = at;
        while (peek() >= '0' && peek() <= '9') {
            value = value * 10 + pattern.charAt(at++) - '0';
            if (value > GrammarLimits.REPETITIONS) {
                throw unsupported("more than " + GrammarLimits.REPETITIONS + " repetitions");
            }
        }
        if (at == start) {
            throw unsupported("this repetition in braces");
        }
        return value;
    }

    private CharSet charClass() {
        boolean negated = take('^');
        List<CharSet.Range> ranges = new ArrayList<>();
        while (!take(']')) {
            if (at >= pattern.length()) {
                throw unsupported("a class that is not closed");
            }
            CharSet first = classAtom(negated);
            if (peek() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']') {
                at++;
                CharSet last = classAtom(negated);
                if (!isSingle(first) || !isSingle(last) || first(last) < first(first)) {
                    throw unsupported("this range in a class");
                }
                first = CharSet.of(new CharSet.Range(first(first), first(last)));
            }
            ranges.addAll(first.ranges());
        }
        CharSet set = CharSet.of(ranges);
        return negated ? set.negate() : set;
    }

    private static int first(CharSet set) {
        return set.ranges().get(0).first();
    }

    private static boolean isSingle(CharSet set) {
        return set.ranges().size() == 1 && first(set) == set.ranges().get(0).last();
    }

    private CharSet classAtom(boolean negated) {
        if (at >= pattern.length()) {
            throw unsupported("a class that is not closed");
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        if (c == '[' || c == '&' && peek() == '&') {
            throw unsupported("classes within classes");
        }
        return c == '\\' ? escape(negated) : single(c);
    }

    /**
     * @param negated whether the caller negates the set: then the larger variant is the safe one
     */
    private CharSet escape(boolean negated) {
        int c = peek();
        at++;
        return switch (c) {
            case 'd' -> DIGITS;
            case 'D' -> DIGITS.negate();
            case 'w' -> WORD;
            case 'W' -> WORD.negate();
            case 's' -> negated ? ANY_SPACE : SPACE;
            case 'S' -> negated ? SPACE.negate() : ANY_SPACE.negate();
            case 't' -> single('\t');
            case 'n' -> single('\n');
            case 'r' -> single('\r');
            case 'f' -> single('\f');
            case 'v' -> single(0x0B);
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            default -> {
                if (c < 0 || c > 0x7F || Character.isLetterOrDigit(c)) {
                    throw unsupported(c < 0 ? "a lone \"\\\" at the end" : "\"\\" + (char) c + "\"");
                }
                yield single(c);
            }
        };
    }

    private CharSet hex(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = Character.digit(peek(), 16);
            if (digit < 0) {
                throw unsupported("this escape");
            }
            value = value * 16 + digit;
            at++;
        }
        return single(value);
    }

    private GrammarException unsupported(String what) {
        return new GrammarException("pattern \"" + pattern + "\", near character " + Math.min(at + 1, pattern.length())
                + ": " + what + " is not supported");
    }
}
