package dev.xlstm.tornado;

import dev.xlstm.backend.LoadProgress;
import dev.xlstm.backend.StateLayout;
import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** All weights of a model in device arrays. The embedding stays on the host, which looks up its rows. */
final class DeviceWeights {

    /** The sizes and constants that kernels are compiled for. */
    record Sizes(
            int hidden,
            int heads,
            int dqk,
            int dv,
            int ffn,
            float gateSoftCap,
            float logitCap,
            float normEps,
            float eps) {

        /** Width of q, k, v, o, i and f together. */
        int projected() {
            return 2 * heads * (dqk + dv + 1);
        }
    }

    /**
     * One block.
     *
     * @param stateOffsets of C, n and m in a state, then the size of a state, all in floats [4]; an array, because an int
     *     would be a constant of the compiled kernel, and each block would get a kernel of its own
     * @param qkvoif [2 QK + 2 VD + 2 NH, H], split where the format changes
     * @param upGate [2 U, H], rows of gate and up interleaved
     */
    record Block(
            IntArray stateOffsets,
            FloatArray normMlstm,
            List<DeviceMatrix> qkvoif,
            FloatArray multiheadNorm,
            FloatArray multiheadBias,
            DeviceMatrix out,
            FloatArray normFfn,
            DeviceMatrix upGate,
            DeviceMatrix down) {}

    final Sizes sizes;
    final List<Block> blocks = new ArrayList<>();
    final FloatArray outNorm; // null if the model has none
    final DeviceMatrix head;
    final FloatArray none = new FloatArray(1); // argument for a norm that does not exist

    private final List<TornadoNativeArray> arrays = new ArrayList<>();
    private final LoadProgress progress;
    private final long sourceBytes; // of all matrices
    private long sourceBytesDone;

    /**
     * @throws DoesNotFitException if the model has blocks that the backend has no kernels for
     */
    DeviceWeights(XlstmWeights weights, LoadProgress progress) {
        XlstmConfig config = weights.config();
        BlockConfig.Large shape = config.large()
                .orElseThrow(() -> new DoesNotFitException("the GPU backend supports xLSTM large only, not stacks of"
                        + " mLSTM and sLSTM blocks; use --backend cpu"));
        sizes = new Sizes(
                config.hiddenSize(),
                shape.numHeads(),
                shape.qkHeadSize(),
                shape.vHeadSize(),
                shape.ffnSize(),
                shape.gateSoftCap(),
                config.outputLogitSoftCap(),
                config.normEps(),
                shape.eps());
        StateLayout layout = StateLayout.of(config);
        this.progress = progress;
        sourceBytes = weights.head().matrix().byteSize()
                + weights.blocks().stream()
                        .flatMap(block -> block.linears().stream())
                        .mapToLong(linear -> linear.matrix().byteSize())
                        .sum();
        for (BlockWeights block : weights.blocks()) {
            BlockWeights.Large w = (BlockWeights.Large) block;
            List<Linear> projections = List.of(w.q(), w.k(), w.v(), w.outputGate(), w.inputGate(), w.forgetGate());
            float[] multiheadBias = w.multiheadNorm().bias();
            blocks.add(new Block(
                    stateOffsets(layout, blocks.size()),
                    norm(w.normMlstm()),
                    stack(projections, w.normMlstm()),
                    vector(w.multiheadNorm().weight()),
                    vector(multiheadBias == null ? new float[shape.vSize()] : multiheadBias),
                    single(w.out(), null),
                    norm(w.feedForward().norm()),
                    interleave(w.feedForward()),
                    single(w.feedForward().down(), null)));
        }
        outNorm = weights.outNorm() == null ? null : norm(weights.outNorm());
        head = single(weights.head(), weights.outNorm());
        kept(none);
        matrices().forEach(m -> arrays.addAll(m.arrays()));
    }

    private IntArray stateOffsets(StateLayout layout, int block) {
        long[] bytes = {
            layout.parts().get(layout.index(block, "c")).offset(),
            layout.parts().get(layout.index(block, "n")).offset(),
            layout.parts().get(layout.index(block, "m")).offset(),
            layout.byteSize()
        };
        IntArray offsets = new IntArray(bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            offsets.set(i, Math.toIntExact(bytes[i] / Float.BYTES));
        }
        return kept(offsets);
    }

    private DeviceMatrix single(Linear linear, Norm norm) {
        return stack(List.of(linear), norm).getFirst();
    }

    private List<DeviceMatrix> stack(List<Linear> linears, Norm norm) {
        List<DeviceMatrix> matrices = DeviceMatrix.stack(linears, norm);
        linears.forEach(this::done);
        return matrices;
    }

    private DeviceMatrix interleave(BlockWeights.FeedForward feedForward) {
        DeviceMatrix matrix = DeviceMatrix.interleave(feedForward.gate(), feedForward.up(), feedForward.norm());
        done(feedForward.gate());
        done(feedForward.up());
        return matrix;
    }

    private void done(Linear linear) {
        sourceBytesDone += linear.matrix().byteSize();
        progress.prepared(sourceBytesDone, sourceBytes);
    }

    private FloatArray norm(Norm norm) {
        return vector(norm.weight());
    }

    private FloatArray vector(float[] values) {
        return kept(FloatArray.fromArray(values));
    }

    private <T extends TornadoNativeArray> T kept(T array) {
        arrays.add(array);
        return array;
    }

    private List<DeviceMatrix> matrices() {
        List<DeviceMatrix> all = new ArrayList<>();
        for (Block block : blocks) {
            all.addAll(block.qkvoif());
            all.addAll(List.of(block.out(), block.upGate(), block.down()));
        }
        all.add(head);
        return all;
    }

    /** All arrays that stay on the device. */
    Object[] arrays() {
        return arrays.toArray();
    }

    /** Bytes that one pass reads. */
    long byteSize() {
        return matrices().stream().mapToLong(DeviceMatrix::byteSize).sum();
    }

    /** Bytes of all arrays. */
    long totalBytes() {
        return arrays.stream()
                .mapToLong(TornadoNativeArray::getNumBytesOfSegmentWithHeader)
                .sum();
    }

    /** Bytes of the largest array. */
    long largestBytes() {
        return arrays.stream()
                .mapToLong(TornadoNativeArray::getNumBytesOfSegmentWithHeader)
                .max()
                .orElse(0);
    }
}
