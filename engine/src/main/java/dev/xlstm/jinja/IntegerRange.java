package dev.xlstm.jinja;

import java.util.List;

/** A Python range. */
record IntegerRange(long start, long stop, long step, List<Object> items) {}
