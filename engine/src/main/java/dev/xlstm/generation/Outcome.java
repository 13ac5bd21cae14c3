package dev.xlstm.generation;

/**
 * How a generation went.
 *
 * @param stop the stop string that ended it, else null
 * @param grammarComplete whether the text is a whole one of the grammar; true without a grammar
 * @param promptTokens tokens read since the last generation, those fed before included
 * @param tokens tokens generated
 * @param prefillNanos time to read the prompt, up to the first logits
 * @param decodeNanos time for the rest
 */
public record Outcome(
        FinishReason finishReason,
        String stop,
        boolean grammarComplete,
        long promptTokens,
        long tokens,
        long prefillNanos,
        long decodeNanos) {

    public double prefillSeconds() {
        return prefillNanos / 1e9;
    }

    public double decodeSeconds() {
        return decodeNanos / 1e9;
    }

    /** Tokens a second, 0 where nothing was read. */
    public double prefillRate() {
        return rate(promptTokens, prefillNanos);
    }

    /**
     * Tokens a second, 0 for less than two: the first token falls out of the prefill, so the time is that of the others.
     */
    public double decodeRate() {
        return rate(tokens - 1, decodeNanos);
    }

    private static double rate(long tokens, long nanos) {
        return tokens <= 0 || nanos <= 0 ? 0 : tokens / (nanos / 1e9);
    }
}
