/**
 * A checkpoint directory as a model: config, the canonical set of weights with checked shapes, tokenizer and generation
 * config. {@link dev.xlstm.model.ModelDirectory} opens one; {@code ModelSettings} finds the settings in a config,
 * {@code WeightLoader} the weights in a checkpoint. Computes nothing.
 */
package dev.xlstm.model;
