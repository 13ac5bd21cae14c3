/**
 * Hostile input, made by mutating good input: every reader of a stranger's bytes as a {@link dev.xlstm.fuzz.FuzzTarget}, and
 * a loop that tries it. {@code FuzzTest} tries each for a moment in every build, {@code scripts/fuzz} for as long as it is
 * told.
 */
package dev.xlstm.fuzz;
