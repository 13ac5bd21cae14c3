/** Options that several commands share. */
package dev.xlstm.cli.options;
