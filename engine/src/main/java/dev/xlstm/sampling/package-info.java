/**
 * From logits to the next id: a chain of small samplers in a declared order, seeded. No models.
 */
package dev.xlstm.sampling;
