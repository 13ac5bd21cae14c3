package dev.xlstm.tokenizer;

import java.io.UncheckedIOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Any other regular expression, run by java.util.regex with a limit on its steps. An expression that backtracks beyond the
 * limit, or deeper than the stack, fails with an {@link UncheckedIOException} around a {@link TokenizerException}.
 */
final class RegexPattern implements SplitPattern {
    private final String where;
    private final Pattern pattern;
    private final Window window = new Window();
    private final Matcher matcher;

    private RegexPattern(String where, Pattern pattern) {
        this.where = where;
        this.pattern = pattern;
        this.matcher = pattern.matcher(window);
    }

    /**
     * Compiles an expression.
     *
     * @param where file and field, for messages
     * @param regex the expression as tokenizer.json has it, in Oniguruma's syntax
     */
    static RegexPattern compile(String where, String regex) throws TokenizerException {
        try {
            int flags = Pattern.UNICODE_CASE | Pattern.UNIX_LINES;
            return new RegexPattern(where, Pattern.compile(new RegexTranslator(where, regex).translate(), flags));
        } catch (PatternSyntaxException e) {
            String problem = "the regular expression does not compile: " + e.getDescription() + " near index "
                    + e.getIndex() + "; check it, or report it as unsupported";
            throw new TokenizerException(where, problem, e);
        } catch (StackOverflowError e) {
            throw new TokenizerException(where, "the regular expression is nested too deep; simplify it", e);
        }
    }

    @Override
    public SplitPattern forOneEncoder() {
        return new RegexPattern(where, pattern);
    }

    @Override
    public long find(char[] text, int from, int to, boolean last) {
        window.text = text;
        window.length = to;
        boolean found;
        try {
            found = matcher.region(from, to).find();
        } catch (Runaway | StackOverflowError e) {
            throw new UncheckedIOException(new TokenizerException(
                    where, "the regular expression backtracks too much on this text; simplify it", e));
        }
        if (!last && matcher.hitEnd()) {
            return ~(long) from;
        }
        int end = found ? matcher.end() : to;
        window.allow((end - from) * (long) TokenizerLimits.PATTERN_STEPS_PER_CHAR);
        return found ? SplitPattern.match(matcher.start(), end) : ~(long) to;
    }

    /** The text; counts the accesses to it. */
    private static final class Window implements CharSequence {
        private char[] text = {};
        private int length;
        private long steps = TokenizerLimits.PATTERN_STEPS;

        void allow(long more) {
            steps = Math.min(TokenizerLimits.PATTERN_STEPS, steps + more);
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public char charAt(int index) {
            if (--steps < 0) {
                throw new Runaway();
            }
            return text[index];
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new String(text, start, end - start);
        }

        @Override
        public String toString() {
            return new String(text, 0, length);
        }
    }

    private static final class Runaway extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Runaway() {
            super("steps used up", null, false, false);
        }
    }
}
