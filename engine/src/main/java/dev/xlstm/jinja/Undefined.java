package dev.xlstm.jinja;

/**
 * The value of a missing name, attribute or item: prints as the empty string, is false and empty; any other operation is an
 * error.
 *
 * @param problem the message of that error
 */
record Undefined(String problem) {

    static Undefined name(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    /** A missing attribute or item. */
    static Undefined member(Object of, String name) {
        return new Undefined("'" + Values.type(of) + "' has no attribute or item " + name);
    }

    JinjaException error() {
        return new JinjaException(problem);
    }
}
