/**
 * The CPU backend: one linear {@code forward} over a pass's rows, the three kinds of blocks, and the thread team that
 * shares their work.
 */
package dev.xlstm.backend.cpu;
