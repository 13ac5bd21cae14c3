package dev.xlstm.backend.cpu;

import dev.xlstm.model.BlockWeights;
import dev.xlstm.tensor.Activation;
import dev.xlstm.tensor.Activations;
import java.util.List;

/** A gated feed-forward layer: {@code x += W_down (activation(W_gate y) * (W_up y))} with {@code y = norm(x)}. */
final class FeedForward {

    private final BlockWeights.FeedForward weights;
    private final Workspace work;
    private final Projection gateUp;
    private final Projection down;

    /**
     * @param gate buffer [rows, U]
     * @param up buffer [rows, U]
     */
    FeedForward(
            BlockWeights.FeedForward weights, Activation activation, Activations gate, Activations up, Workspace work) {
        this.weights = weights;
        this.work = work;
        int u = gate.width;
        Projection.Epilogue activate =
                (t, from, to) -> activation.times(gate.data, t * u + from, up.data, t * u + from, to - from);
        gateUp = Projection.together(
                work.y, List.of(weights.gate(), weights.up()), List.of(gate, up), activate, work.scratch);
        down = Projection.separate(gate, List.of(weights.down()), List.of(work.delta), work::addDelta, work.scratch);
    }

    void forward() {
        work.norm(weights.norm(), work.rows()); // y [rows, H] = norm(x)
        gateUp.run(work.team, work.rows()); // gate [rows, U] = activation(W_gate y) * (W_up y)
        down.run(work.team, work.rows()); // x += W_down gate
    }
}
