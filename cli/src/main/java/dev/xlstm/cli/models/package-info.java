/** Models on this machine and on the hub: {@code pull}, {@code models}. */
package dev.xlstm.cli.models;
