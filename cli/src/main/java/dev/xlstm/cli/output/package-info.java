/** What the commands that generate text print: text, JSON, progress and statistics. */
package dev.xlstm.cli.output;
