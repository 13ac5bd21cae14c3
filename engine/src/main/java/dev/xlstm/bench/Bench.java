package dev.xlstm.bench;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Times prefill and decode of a loaded model. */
public final class Bench {

    private Bench() {}

    /**
     * Seconds of each repetition of feeding {@code tokens} ids to each of {@code sequences} states.
     *
     * @param chunk ids of a sequence in one forward pass: 1 is decode, more is prefill
     */
    public static double[] run(LoadedModel model, int tokens, int chunk, int sequences, int repetitions) {
        int vocab = model.config().vocabSize();
        State[] states = new State[sequences];
        for (int s = 0; s < sequences; s++) {
            states[s] = model.newState();
        }
        try {
            int[] ids = new int[tokens];
            for (int i = 0; i < tokens; i++) {
                ids[i] = (int) (i * 2654435761L % vocab);
            }
            float[] logits = new float[sequences * vocab];
            Batch batch = new Batch();
            double[] seconds = new double[repetitions];
            for (int r = 0; r < repetitions; r++) {
                long start = System.nanoTime();
                for (int from = 0; from < tokens; from += chunk) {
                    int to = Math.min(from + chunk, tokens);
                    batch.clear();
                    for (State state : states) {
                        // decode needs every row of logits, prefill the last one only
                        batch.add(state, ids, from, to, chunk == 1 || to == tokens ? Logits.LAST : Logits.NONE);
                    }
                    model.forward(batch, logits);
                }
                seconds[r] = (System.nanoTime() - start) * 1e-9;
            }
            return seconds;
        } finally {
            for (State state : states) {
                state.close();
            }
        }
    }

    /** The middle value; the mean of the two middle ones of an even number. */
    public static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    }

    /** Weight bytes that one decoded token reads: all matrices but the embedding, of which it reads a row. */
    public static long weightBytesPerToken(XlstmWeights weights) {
        return matrices(weights).mapToLong(WeightMatrix::byteSize).sum();
    }

    /** Those bytes, in memory. */
    public static List<MemorySegment> weightsPerToken(XlstmWeights weights) {
        return matrices(weights).flatMap(matrix -> matrix.data().stream()).toList();
    }

    private static Stream<WeightMatrix> matrices(XlstmWeights weights) {
        Stream<WeightMatrix> ofBlocks = weights.blocks().stream()
                .flatMap(block -> block.linears().stream())
                .map(Linear::matrix);
        return Stream.concat(ofBlocks, Stream.of(weights.head().matrix()));
    }

    /** State bytes that one decoded token moves: all is read and written. */
    public static long stateBytesPerToken(XlstmConfig config) {
        return 2 * config.stateBytes();
    }

    /** Floating-point operations of the linear layers for one token, without the head: two a weight. */
    public static double flopsPerToken(XlstmWeights weights) {
        double flops = 0;
        for (BlockWeights block : weights.blocks()) {
            for (Linear linear : block.linears()) {
                flops += 2.0 * linear.matrix().rows() * linear.matrix().columns();
            }
        }
        return flops;
    }
}
