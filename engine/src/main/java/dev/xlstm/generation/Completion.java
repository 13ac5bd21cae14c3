package dev.xlstm.generation;

/**
 * A finished generation.
 *
 * @param ids the tokens generated; the model's end of text is not one of them
 * @param text their text up to a stop string; null without a tokenizer
 */
public record Completion(int[] ids, String text, Outcome outcome) {}
