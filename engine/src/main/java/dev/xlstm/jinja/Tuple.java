package dev.xlstm.jinja;

import java.util.List;

/** A list written with round brackets. */
record Tuple(List<Object> items) {}
