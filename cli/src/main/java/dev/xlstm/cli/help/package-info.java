/** Shell completion and man pages. */
package dev.xlstm.cli.help;
