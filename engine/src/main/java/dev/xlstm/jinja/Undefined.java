package dev.xlstm.jinja;

/** The value of what is not there: empty, false, and an error as soon as something is asked of it. */
record Undefined(String name) {

    JinjaException complaint() {
        return new JinjaException("'" + name + "' is undefined");
    }
}
