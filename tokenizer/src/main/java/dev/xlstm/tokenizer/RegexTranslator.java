package dev.xlstm.tokenizer;

import java.util.Set;

/**
 * Rewrites a regular expression from Oniguruma's syntax, which tokenizer.json uses, to the same meaning in java.util.regex:
 * \s, \d and \w are Unicode's. Refuses by name constructs that mean something else in Java, and look-behind, because text
 * already turned into ids is gone.
 */
final class RegexTranslator {
    private static final Set<String> CATEGORIES = Set.of(
            "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps",
            "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co",
            "Cn");

    private static final String WORD = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}";

    private final String where;
    private final String regex;
    private final StringBuilder java = new StringBuilder();
    private int at;

    RegexTranslator(String where, String regex) {
        this.where = where;
        this.regex = regex;
    }

    String translate() throws TokenizerException {
        int classDepth = 0;
        while (at < regex.length()) {
            char c = regex.charAt(at);
            if (c == '\\') {
                escape(classDepth > 0);
            } else if (c == '[') {
                if (regex.startsWith("[:", at) && classDepth > 0) {
                    throw unsupported("a POSIX bracket " + regex.substring(at, Math.min(at + 9, regex.length())));
                }
                classDepth++;
                copy(1);
                if (next("^")) {
                    copy(1);
                }
                if (next("]")) {
                    throw unsupported("an unescaped ] at the start of a class");
                }
            } else if (c == ']' && classDepth > 0) {
                classDepth--;
                copy(1);
            } else if (classDepth > 0) {
                copy(1);
            } else if (c == '(') {
                group();
            } else if (c == '^' || c == '$') {
                throw unsupported("the anchor " + c);
            } else if (c == '}' && regex.startsWith("}+", at)) {
                throw unsupported("the quantifier }+");
            } else {
                copy(1);
            }
        }
        return java.toString();
    }

    private void group() throws TokenizerException {
        if (!next("(?")) {
            copy(1);
            return;
        }
        if (next("(?:") || next("(?=") || next("(?!") || next("(?>")) {
            copy(3);
        } else if (next("(?i:") || next("(?i)")) {
            copy(4);
        } else if (next("(?<=") || next("(?<!")) {
            throw unsupported("look-behind");
        } else {
            throw unsupported("the group " + regex.substring(at, Math.min(at + 4, regex.length())));
        }
    }

    private void escape(boolean inClass) throws TokenizerException {
        if (at + 1 == regex.length()) {
            throw unsupported("a trailing backslash");
        }
        char c = regex.charAt(at + 1);
        switch (c) {
            case 's' -> replace("\\p{IsWhite_Space}");
            case 'S' -> replace("\\P{IsWhite_Space}");
            case 'd' -> replace("\\p{Nd}");
            case 'D' -> replace("\\P{Nd}");
            case 'w' -> replace(inClass ? WORD : "[" + WORD + "]");
            case 'W' -> {
                if (inClass) {
                    throw unsupported("\\W in a class");
                }
                replace("[^" + WORD + "]");
            }
            case 'v' -> replace("\\x0B");
            case 'r', 'n', 't', 'f', 'a', 'e' -> copy(2);
            case 'u' -> copy(2);
            case 'x' -> {
                if (!next("\\x{") && (at + 2 >= regex.length() || regex.charAt(at + 2) > '7')) {
                    throw unsupported("a byte \\x80 to \\xFF");
                }
                copy(2);
            }
            case 'p', 'P' -> property(c == 'P');
            case 'b', 'B', 'A', 'G' -> throw unsupported((inClass ? "the escape \\" : "the anchor \\") + c);
            default -> {
                if (c < 0x80 && Character.isLetterOrDigit(c)) {
                    throw unsupported("the escape \\" + c);
                }
                copy(2);
            }
        }
    }

    private void property(boolean negated) throws TokenizerException {
        int close = regex.indexOf('}', at);
        if (close < 0 || regex.charAt(at + 2) != '{') {
            throw unsupported("a property without braces");
        }
        String name = regex.substring(at + 3, close);
        if (name.startsWith("^")) {
            negated = !negated;
            name = name.substring(1);
        }
        String javaName = name;
        if (!CATEGORIES.contains(name)) {
            try {
                javaName = "Is" + Character.UnicodeScript.forName(name).name();
            } catch (IllegalArgumentException e) {
                throw unsupported("the property " + TokenizerException.quote(name));
            }
        }
        java.append(negated ? "\\P{" : "\\p{").append(javaName).append('}');
        at = close + 1;
    }

    private boolean next(String text) {
        return regex.startsWith(text, at);
    }

    private void copy(int chars) {
        int end = Math.min(at + chars, regex.length());
        java.append(regex, at, end);
        at = end;
    }

    private void replace(String text) {
        java.append(text);
        at += 2;
    }

    private TokenizerException unsupported(String what) {
        return new TokenizerException(
                where,
                "the regular expression has " + TokenizerException.quote(what).replace("\"", "") + " at index " + at
                        + ", which is not supported; rewrite it without");
    }
}
