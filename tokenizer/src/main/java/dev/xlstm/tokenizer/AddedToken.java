package dev.xlstm.tokenizer;

/** An entry of {@code added_tokens}: text that becomes one id before anything else looks at it. */
record AddedToken(
        int id,
        String content,
        boolean special,
        boolean singleWord,
        boolean lstrip,
        boolean rstrip,
        boolean normalized) {}
