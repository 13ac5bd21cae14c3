/**
 * The SPI of backends: {@link dev.xlstm.backend.Backend} loads a model, {@link dev.xlstm.backend.LoadedModel} runs forward
 * passes over a {@link dev.xlstm.backend.Batch}, {@link dev.xlstm.backend.State} is the memory of one sequence. The
 * implementations are found with {@link java.util.ServiceLoader}.
 */
package dev.xlstm.backend;
