/**
 * What a checkpoint directory means: config.json, the canonical set of weights with checked shapes, tokenizer and generation config. Computes nothing.
 */
package dev.xlstm.model;
