/** The commands generate and prime. */
package dev.xlstm.cli.generate;
