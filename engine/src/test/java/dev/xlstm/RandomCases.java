package dev.xlstm;

import java.util.Random;

/** Tries a property on many random cases, the same ones in every build. */
public final class RandomCases {

    /** Asserts the property on a case drawn from {@code random}. */
    public interface Property {
        void check(Random random) throws Exception;
    }

    private RandomCases() {}

    /** Checks {@code count} cases; a failure names the seed of its case. */
    public static void run(int count, Property property) {
        for (int i = 0; i < count; i++) {
            long seed = i * 0x9E3779B97F4A7C15L; // far apart, as near ones begin alike
            try {
                property.check(new Random(seed));
            } catch (Throwable e) {
                throw new AssertionError("the case of seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }
}
