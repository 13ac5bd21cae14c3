/** The terminal, the standard streams, exit codes and error texts; knows no command. */
package dev.xlstm.cli.console;
