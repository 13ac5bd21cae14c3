/**
 * Text in, streamed text out: prompts, stop strings, partial UTF-8, finish reasons, timing.
 */
package dev.xlstm.generation;
