/**
 * The safetensors file format, read (memory-mapped, off-heap, zero-copy) and written; checkpoints in one file or in shards.
 * Knows nothing of models.
 */
package dev.xlstm.safetensors;
