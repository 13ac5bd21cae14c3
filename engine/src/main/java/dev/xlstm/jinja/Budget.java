package dev.xlstm.jinja;

/** Bounds what one rendering may do. */
final class Budget {

    private static final long MAX_STEPS = 3_000_000;
    private static final long MAX_CHARS = 1L << 27; // of all strings made on the way
    private static final int MAX_DEPTH = 200;

    private long steps;
    private long chars;
    private int depth;

    void step() {
        if (++steps > MAX_STEPS) {
            throw new JinjaException("the template does not come to an end within " + MAX_STEPS + " steps");
        }
    }

    /** Counts the chars of a string about to be made. */
    void make(long size) {
        chars += size;
        if (chars > MAX_CHARS) {
            throw new JinjaException("the template makes more than " + MAX_CHARS + " characters of text");
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
        if (++depth > MAX_DEPTH) {
            throw new JinjaException("the template calls itself more than " + MAX_DEPTH + " times");
        }
    }

    void leave() {
        depth--;
    }
}
