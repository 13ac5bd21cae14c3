package dev.xlstm.backend.cpu;

import dev.xlstm.backend.StateLayout;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmWeights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A block of a model. All blocks share a {@link Workspace}; those of one shape also share buffers. */
interface Block {

    /**
     * Feeds the rows of the pass to their states and adds the result to the residual stream. In a {@link
     * Workspace#verifying} pass the states stay as they are, and the block saves what {@link #keep} needs.
     */
    void forward();

    /** Feeds {@code rows} rows of the last verifying pass, from {@code first} on, to the state of their sequence. */
    void keep(CpuState state, int first, int rows);

    /** The blocks of a model, in order. */
    static List<Block> of(XlstmWeights weights, StateLayout layout, Workspace work) {
        Map<BlockConfig, LargeBlock.Buffers> large = new HashMap<>();
        Map<BlockConfig, MlstmBlock.Buffers> mlstm = new HashMap<>();
        Map<BlockConfig, SlstmBlock.Buffers> slstm = new HashMap<>();
        List<Block> blocks = new ArrayList<>();
        for (int b = 0; b < weights.blocks().size(); b++) {
            BlockConfig shape = weights.config().blocks().get(b);
            BlockWeights w = weights.blocks().get(b);
            BlockState state = new BlockState(layout, b);
            if (shape instanceof BlockConfig.Large s && w instanceof BlockWeights.Large of) {
                LargeBlock.Buffers buffers = large.computeIfAbsent(s, shared -> new LargeBlock.Buffers(s, work));
                blocks.add(new LargeBlock(of, s, buffers, state, work));
            } else if (shape instanceof BlockConfig.Mlstm s && w instanceof BlockWeights.Mlstm of) {
                MlstmBlock.Buffers buffers = mlstm.computeIfAbsent(s, shared -> new MlstmBlock.Buffers(s, work));
                blocks.add(new MlstmBlock(of, s, buffers, state, work));
            } else if (shape instanceof BlockConfig.Slstm s && w instanceof BlockWeights.Slstm of) {
                SlstmBlock.Buffers buffers = slstm.computeIfAbsent(s, shared -> new SlstmBlock.Buffers(s, work));
                blocks.add(new SlstmBlock(of, s, buffers, state, work));
            } else {
                throw new IllegalArgumentException("block " + b + " is " + shape.kind() + ", its weights are not");
            }
        }
        return blocks;
    }
}
