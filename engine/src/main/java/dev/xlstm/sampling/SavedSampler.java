package dev.xlstm.sampling;

import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** Reads what {@link Sampler#save} wrote. Checks everything, as the values may come from a file. */
record SavedSampler(Map<String, String> values, int vocabSize) {

    /** Ids with blanks between; none where the key is missing. */
    IntStream ids(String key) {
        return Arrays.stream(words(key)).mapToInt(word -> id(key, word));
    }

    int id(String key, String value) {
        long id = integer(key, value);
        if (id < 0 || id >= vocabSize) {
            throw bad(key, value, "is not an id of the vocabulary of " + vocabSize);
        }
        return (int) id;
    }

    /** The words of a value; none where the key is missing. */
    String[] words(String key) {
        String value = values.getOrDefault(key, "").strip();
        return value.isEmpty() ? new String[0] : value.split("\\s+");
    }

    OptionalLong integer(String key) {
        String value = values.get(key);
        return value == null ? OptionalLong.empty() : OptionalLong.of(integer(key, value));
    }

    long integer(String key, String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw bad(key, value, "is not a whole number");
        }
    }

    OptionalDouble number(String key) {
        String value = values.get(key);
        if (value == null) {
            return OptionalDouble.empty();
        }
        try {
            double number = Double.parseDouble(value);
            if (Double.isFinite(number)) {
                return OptionalDouble.of(number);
            }
        } catch (NumberFormatException e) {
            // the same message as for an infinite one
        }
        throw bad(key, value, "is not a finite number");
    }

    static IllegalArgumentException bad(String key, String value, String problem) {
        String shown = value.length() <= 40 ? value : value.substring(0, 40) + "…";
        return new IllegalArgumentException("saved sampler state, " + key + ": \"" + shown + "\" " + problem);
    }
}
