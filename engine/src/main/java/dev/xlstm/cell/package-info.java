/**
 * What carries a state from token to token: the mLSTM cell, recurrent and chunkwise, the sLSTM cell and the causal
 * convolution, readable against the formulas. No weight formats.
 */
package dev.xlstm.cell;
