/** A long run of mixed work in one process, started by {@code scripts/soak}. */
package dev.xlstm.soak;
