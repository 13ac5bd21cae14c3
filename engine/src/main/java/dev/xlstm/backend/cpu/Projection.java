package dev.xlstm.backend.cpu;

import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Linear layers that are independent of each other, split by outputs into tasks of about equal size. An epilogue processes
 * the outputs of a task while they are still in the cache.
 */
final class Projection implements ThreadTeam.Task {

    /** Processes outputs {@code [from, to)} of activation row {@code row}. */
    interface Epilogue {
        void apply(int row, int from, int to);
    }

    /** Weights per task: enough to outweigh the cost of a task, few enough for an even split. */
    private static final int TASK_WEIGHTS = 1 << 17;

    /** The outputs of a task are a multiple of this: four panels of a quantised matrix. */
    private static final int GRANULE = 128;

    private final Activations[] inputs; // of each linear layer
    private final Linear[] linears;
    private final Activations[] outputs;
    private final Epilogue epilogue;
    private final float[][] scratch; // one per worker
    private final Activations[] distinctInputs;
    private final ThreadTeam.Task packTask = this::packGroup;
    private final int[] first; // of each task: its first layer
    private final int[] last; // one past its last
    private final int[] from; // its outputs
    private final int[] to;
    private int rows;

    private Projection(
            List<Activations> inputs,
            List<Linear> linears,
            List<Activations> outputs,
            Epilogue epilogue,
            float[][] scratch,
            List<int[]> tasks) {
        this.inputs = inputs.toArray(Activations[]::new);
        distinctInputs = inputs.stream().distinct().toArray(Activations[]::new);
        this.linears = linears.toArray(Linear[]::new);
        this.outputs = outputs.toArray(Activations[]::new);
        this.epilogue = epilogue;
        this.scratch = scratch;
        for (int l = 0; l < this.linears.length; l++) {
            this.inputs[l].packed.addConsumer(this.linears[l].matrix());
        }
        first = tasks.stream().mapToInt(t -> t[0]).toArray();
        last = tasks.stream().mapToInt(t -> t[1]).toArray();
        from = tasks.stream().mapToInt(t -> t[2]).toArray();
        to = tasks.stream().mapToInt(t -> t[3]).toArray();
    }

    /** Layers of any number of outputs that read the same activations; each is split into tasks of its own. */
    static Projection separate(
            Activations input, List<Linear> linears, List<Activations> outputs, Epilogue epilogue, float[][] scratch) {
        return separate(Collections.nCopies(linears.size(), input), linears, outputs, epilogue, scratch);
    }

    /** Layers of any number of outputs with an input each; each is split into tasks of its own. */
    static Projection separate(
            List<Activations> inputs,
            List<Linear> linears,
            List<Activations> outputs,
            Epilogue epilogue,
            float[][] scratch) {
        List<int[]> tasks = new ArrayList<>();
        for (int l = 0; l < linears.size(); l++) {
            cut(l, l + 1, linears.get(l).matrix(), tasks);
        }
        return new Projection(inputs, linears, outputs, epilogue, scratch, tasks);
    }

    /** Layers of equal numbers of outputs, which the epilogue combines: a task computes the same outputs of all layers. */
    static Projection together(
            Activations input, List<Linear> linears, List<Activations> outputs, Epilogue epilogue, float[][] scratch) {
        List<int[]> tasks = new ArrayList<>();
        cut(0, linears.size(), linears.getFirst().matrix(), tasks);
        return new Projection(Collections.nCopies(linears.size(), input), linears, outputs, epilogue, scratch, tasks);
    }

    private static void cut(int first, int last, WeightMatrix matrix, List<int[]> tasks) {
        int weightsPerOutput = (last - first) * matrix.columns();
        int height = Math.max(TASK_WEIGHTS / weightsPerOutput / GRANULE, 1) * GRANULE;
        for (int row = 0; row < matrix.rows(); row += height) {
            tasks.add(new int[] {first, last, row, Math.min(row + height, matrix.rows())});
        }
    }

    /** {@code outputs[rows, height] = linear(input[rows, width])} for every layer, on all threads. */
    void run(ThreadTeam team, int rows) {
        this.rows = rows;
        for (Activations input : distinctInputs) {
            input.packed.begin(input.data, rows);
        }
        team.run(distinctInputs.length * inputs[0].packed.groups(), packTask);
        team.run(first.length, this);
    }

    private void packGroup(int task, int worker) {
        distinctInputs[task % distinctInputs.length].packed.pack(task / distinctInputs.length);
    }

    @Override
    public void run(int task, int worker) {
        int start = from[task];
        int end = to[task];
        for (int l = first[task]; l < last[task]; l++) {
            WeightMatrix matrix = linears[l].matrix();
            float[] out = outputs[l].data;
            matrix.multiply(inputs[l].packed, out, start, end, scratch[worker]);
            float[] bias = linears[l].bias();
            for (int t = 0; bias != null && t < rows; t++) {
                Elementwise.add(out, t * matrix.rows() + start, bias, start, end - start);
            }
        }
        for (int t = 0; epilogue != null && t < rows; t++) {
            epilogue.apply(t, start, end);
        }
    }
}
