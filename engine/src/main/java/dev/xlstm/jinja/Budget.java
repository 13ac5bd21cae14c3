package dev.xlstm.jinja;

/** Limits the work of one rendering. */
final class Budget {

    private long steps;
    private long chars;
    private int depth;

    void step() {
        steps(1);
    }

    void steps(long count) {
        steps += count;
        if (steps > JinjaLimits.STEPS) {
            throw new JinjaException("the template does not finish within " + JinjaLimits.STEPS + " steps");
        }
    }

    /** Charges the chars of a string before it is built. */
    void chars(long count) {
        chars += count;
        if (chars > JinjaLimits.CHARS) {
            throw new JinjaException("the template builds more than " + JinjaLimits.CHARS + " characters of text");
        }
    }

    /** Charges the items of a list before it is built. */
    void items(long count) {
        chars(16 * count);
    }

    void enterCall() {
        if (++depth > JinjaLimits.CALLS) {
            throw new JinjaException("macro calls are nested deeper than " + JinjaLimits.CALLS);
        }
    }

    void leaveCall() {
        depth--;
    }
}
