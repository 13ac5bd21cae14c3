package dev.xlstm.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** How the numbers of a {@link WeightMatrix} are stored. */
public enum WeightFormat {
    F32,
    F16,
    BF16,

    /** Blocks of 32 signed bytes with a half-precision scale. */
    Q8_0,

    /** Blocks of 32 four-bit numbers with a half-precision scale. */
    Q4_0;

    /**
     * The format of a name as people type it: f32, f16, bf16, q8_0 or q4_0.
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static WeightFormat of(String name) {
        return Arrays.stream(values())
                .filter(format -> format.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no format '" + name + "'; there are " + names()));
    }

    private static String names() {
        return Arrays.stream(values()).map(WeightFormat::toString).collect(Collectors.joining(", "));
    }

    /** The formats that store blocks of integers with a scale. */
    public static List<WeightFormat> quantized() {
        return Arrays.stream(values()).filter(WeightFormat::isQuantized).toList();
    }

    public boolean isQuantized() {
        return this == Q8_0 || this == Q4_0;
    }

    /** The name as people type it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
