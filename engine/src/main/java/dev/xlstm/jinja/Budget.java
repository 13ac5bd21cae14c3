package dev.xlstm.jinja;

/** Bounds what one rendering may do. */
final class Budget {

    private long steps;
    private long chars;
    private int depth;

    void step() {
        if (++steps > Limits.STEPS) {
            throw new JinjaException("the template does not come to an end within " + Limits.STEPS + " steps");
        }
    }

    /** Counts the chars of a string about to be made. */
    void make(long size) {
        chars += size;
        if (chars > Limits.CHARS) {
            throw new JinjaException("the template makes more than " + Limits.CHARS + " characters of text");
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
        if (++depth > Limits.CALLS) {
            throw new JinjaException("the template calls itself more than " + Limits.CALLS + " times");
        }
    }

    void leave() {
        depth--;
    }
}
