package dev.xlstm.backend;

/**
 * Something a backend computes on.
 *
 * @param name the vendor's name
 * @param memoryBytes its memory; what holds weights and states
 * @param largestBufferBytes the most a single allocation may take, for most GPUs less than the memory
 * @param preferred whether it is worth choosing unasked: a CPU that an OpenCL driver offers is not
 */
public record Device(String name, long memoryBytes, long largestBufferBytes, boolean preferred) {}
