/** The command batch. */
package dev.xlstm.cli.batch;
