/**
 * The safetensors file format, read (memory-mapped, off-heap, zero-copy) and written; checkpoints of several shards. Has no idea of models.
 */
package dev.xlstm.safetensors;
