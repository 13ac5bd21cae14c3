/** The commands chat and sessions. */
package dev.xlstm.cli.chat;
