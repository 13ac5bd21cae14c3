package dev.xlstm.tokenizer;

/** An entry of {@code added_tokens}: its text becomes one id before any other stage. */
record AddedToken(
        int id,
        String content,
        boolean special,
        boolean singleWord,
        boolean lstrip,
        boolean rstrip,
        boolean normalized) {}
