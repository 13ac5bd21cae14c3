/**
 * The recurrent cells, mLSTM and sLSTM, and the causal convolution of the original blocks. They are written to be read
 * beside their formulas and know nothing of layers, weights or models.
 */
package dev.xlstm.cell;
