package dev.xlstm.cli.options;

import dev.xlstm.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tokens that flags name by id or by text. */
final class TokenTexts {

    private static final Pattern BIAS = Pattern.compile("(?s)(.+?)([+-](?:\\d+(?:\\.\\d*)?|\\.\\d+|inf))");

    private TokenTexts() {}

    /**
     * Reads logit biases: {@code 42+1.5}, {@code 42-inf}, {@code " cat"-2}.
     *
     * @param tokenizer may be null if all tokens are given by id
     * @throws IllegalArgumentException naming the bias that is wrong
     */
    static Map<Integer, Float> biases(List<String> texts, Tokenizer tokenizer) {
        Map<Integer, Float> biases = new LinkedHashMap<>();
        for (String text : texts) {
            Matcher parts = BIAS.matcher(text);
            if (!parts.matches()) {
                throw bad(text, "is no token with its bias, such as 42+1.5, \" cat\"-2 or 42-inf");
            }
            String value = parts.group(2);
            if (value.equals("+inf")) {
                throw bad(text, "would allow nothing else: use a large number");
            }
            biases.put(
                    id(text, parts.group(1), tokenizer),
                    value.equals("-inf") ? Float.NEGATIVE_INFINITY : Float.parseFloat(value));
        }
        return biases;
    }

    private static int id(String bias, String token, Tokenizer tokenizer) {
        if (token.matches("\\d{1,9}")) {
            return Integer.parseInt(token);
        }
        boolean quoted = token.length() > 2 && token.startsWith("\"") && token.endsWith("\"");
        String text = quoted ? token.substring(1, token.length() - 1) : token;
        if (tokenizer == null) {
            throw bad(bias, "names a token by text, and the model has no tokenizer: name it by id");
        }
        int[] ids = tokenizer.encode(text);
        if (ids.length != 1) {
            throw bad(bias, "names a text of " + ids.length + " tokens: give a bias to one token");
        }
        return ids[0];
    }

    private static IllegalArgumentException bad(String bias, String problem) {
        return new IllegalArgumentException("--logit-bias '" + bias + "' " + problem);
    }

    /**
     * The ids of the tokens with any of these texts in them, a backslash and n being a line feed. None if one is "none", or
     * without a tokenizer.
     */
    static Set<Integer> containing(List<String> texts, Tokenizer tokenizer) {
        Set<Integer> ids = new HashSet<>();
        if (tokenizer == null || texts.contains("none")) {
            return ids;
        }
        List<String> plain =
                texts.stream().map(text -> text.replace("\\n", "\n")).toList();
        for (int id = 0; id < tokenizer.vocabSize() && !plain.isEmpty(); id++) {
            String token = new String(tokenizer.bytes(id), StandardCharsets.UTF_8);
            if (plain.stream().anyMatch(token::contains)) {
                ids.add(id);
            }
        }
        return ids;
    }
}
