/**
 * The mLSTM cell: recurrent step and chunkwise form, readable against the formulas. No weights.
 */
package dev.xlstm.mlstm;
