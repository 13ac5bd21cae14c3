package dev.xlstm.jinja;

/** Bounds what one rendering may do. */
final class Budget {

    private long steps;
    private long chars;
    private int depth;

    void step() {
        if (++steps > JinjaLimits.STEPS) {
            throw new JinjaException("the template does not come to an end within " + JinjaLimits.STEPS + " steps");
        }
    }

    /** Counts the chars of a string about to be made. */
    void make(long size) {
        chars += size;
        if (chars > JinjaLimits.CHARS) {
            throw new JinjaException("the template makes more than " + JinjaLimits.CHARS + " characters of text");
        }
    }

    /** Counts the items of a list about to be made. */
    void makeItems(long count) {
        make(16 * count);
    }

    String made(String text) {
        make(text.length());
        return text;
    }

    void enter() {
        if (++depth > JinjaLimits.CALLS) {
            throw new JinjaException("the template calls itself more than " + JinjaLimits.CALLS + " times");
        }
    }

    void leave() {
        depth--;
    }
}
