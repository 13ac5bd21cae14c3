package dev.xlstm.backend;

/**
 * A device of a backend.
 *
 * @param name the vendor's name
 * @param memoryBytes the memory that holds weights and states
 * @param largestBufferBytes the largest single allocation; on most GPUs less than the memory
 * @param preferred whether {@code auto} may select it; a CPU behind an OpenCL driver is not
 */
public record Device(String name, long memoryBytes, long largestBufferBytes, boolean preferred) {}
