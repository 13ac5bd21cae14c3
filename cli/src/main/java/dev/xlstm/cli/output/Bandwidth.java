package dev.xlstm.cli.output;

import dev.xlstm.bench.Bench;
import dev.xlstm.bench.MachineLimits;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextModel;
import dev.xlstm.model.XlstmWeights;
import java.io.IOException;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;

/**
 * The memory bandwidth of a generation, and the limit of this machine.
 *
 * @param moved bytes per second: weights read, state read and written
 * @param limit bytes per second at which the weights can be read; 0 if not measured
 */
public record Bandwidth(double moved, double limit) {

    private static final double GIGA = 1e9;

    /**
     * The bandwidth of a text that was generated alone, not in a batch.
     *
     * @param measured whether to measure the limit, which takes half a second; never done for a GPU
     */
    public static Bandwidth of(Outcome outcome, TextModel model, int threads, boolean measured) throws IOException {
        XlstmWeights weights = model.directory().weights();
        long bytes = Bench.weightBytesPerToken(weights) + Bench.stateBytesPerToken(weights.config());
        boolean here = model.loaded().device().equals("cpu");
        double moved = outcome.decodeRate() * bytes;
        double limit = 0;
        if (measured && here && outcome.decodeRate() > 0) {
            try (MachineLimits limits = new MachineLimits(threads)) {
                limit = limits.readRate(Bench.weightsPerToken(weights), moved);
            }
        }
        return new Bandwidth(moved, limit);
    }

    private double share() {
        return moved / limit;
    }

    /** For the statistics. */
    String text() {
        return limit == 0
                ? String.format(Locale.ROOT, "%.2f GB/s", moved / GIGA)
                : String.format(
                        Locale.ROOT,
                        "%.2f GB/s, %.0f %% of the %.1f at which these weights can be read",
                        moved / GIGA,
                        100 * share(),
                        limit / GIGA);
    }

    void write(JsonGenerator json) {
        json.writeNumberProperty("decode_gb_per_second", moved / GIGA);
        if (limit > 0) {
            json.writeNumberProperty("read_gb_per_second", limit / GIGA);
            json.writeNumberProperty("bandwidth_share", share());
        }
    }
}
