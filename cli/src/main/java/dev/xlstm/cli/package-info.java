/** The command line program: its commands and the exit-code policy. */
package dev.xlstm.cli;
