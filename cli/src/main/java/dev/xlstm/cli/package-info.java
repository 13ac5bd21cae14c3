/** The command line: picocli commands, terminal and exit-code policy. No mathematics. */
package dev.xlstm.cli;
