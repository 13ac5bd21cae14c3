/**
 * Text in, streamed text out: the decode loop, stop strings, partial UTF-8, finish reasons, timing, several samples at once.
 */
package dev.xlstm.generation;
