package dev.xlstm.backend.cpu;

import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmWeights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A block of a model on the CPU. There are three kinds; what they share, they share through {@link Pass}. */
interface Block {

    /** Feeds the rows of the pass to their states, and adds to the residual stream what comes of it. */
    void forward();

    /** The blocks of a model, in order. Blocks of one shape take turns with one set of buffers. */
    static List<Block> of(XlstmWeights weights, Pass pass) {
        Map<BlockConfig, Object> buffers = new HashMap<>();
        List<Block> blocks = new ArrayList<>();
        long stateAt = 0;
        for (int b = 0; b < weights.blocks().size(); b++) {
            BlockConfig shape = weights.config().blocks().get(b);
            BlockWeights w = weights.blocks().get(b);
            if (shape instanceof BlockConfig.Large large) {
                Object own = buffers.computeIfAbsent(shape, s -> new LargeBlock.Buffers(large, pass));
                blocks.add(new LargeBlock((BlockWeights.Large) w, large, (LargeBlock.Buffers) own, pass, stateAt));
            } else if (shape instanceof BlockConfig.Mlstm mlstm) {
                Object own = buffers.computeIfAbsent(shape, s -> new MlstmBlock.Buffers(mlstm, pass));
                blocks.add(new MlstmBlock((BlockWeights.Mlstm) w, mlstm, (MlstmBlock.Buffers) own, pass, stateAt));
            } else {
                BlockConfig.Slstm slstm = (BlockConfig.Slstm) shape;
                Object own = buffers.computeIfAbsent(shape, s -> new SlstmBlock.Buffers(slstm, pass));
                blocks.add(new SlstmBlock((BlockWeights.Slstm) w, slstm, (SlstmBlock.Buffers) own, pass, stateAt));
            }
            stateAt += Float.BYTES * shape.stateFloats();
        }
        return blocks;
    }
}
