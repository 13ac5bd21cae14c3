/** Defaults that the user sets by environment variables and a file, and the command that shows them. */
package dev.xlstm.cli.config;
