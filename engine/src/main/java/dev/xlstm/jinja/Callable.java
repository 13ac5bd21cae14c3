package dev.xlstm.jinja;

/** A macro, a method or a global function. */
interface Callable {

    Object call(Budget budget, Arguments arguments);

    /** Python's repr of the function. */
    default String representation() {
        return "<function>";
    }
}
