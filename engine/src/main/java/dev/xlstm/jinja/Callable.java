package dev.xlstm.jinja;

/** A macro, a method or a global function. */
interface Callable {

    Object call(Budget budget, Arguments arguments);
}
