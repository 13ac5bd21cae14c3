/**
 * Forward passes: the Backend SPI, the batch and state they work on, and the CPU backend. No tokens' text, no sampling.
 */
package dev.xlstm.backend;
