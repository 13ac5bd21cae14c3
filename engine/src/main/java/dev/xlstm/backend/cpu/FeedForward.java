package dev.xlstm.backend.cpu;

import dev.xlstm.model.BlockWeights;
import dev.xlstm.tensor.Activation;
import java.util.List;

/** A gated feed-forward layer: {@code x += W_down (activation(W_gate y) * (W_up y))} with {@code y = norm(x)}. */
final class FeedForward {

    private final BlockWeights.FeedForward weights;
    private final Pass pass;
    private final Projection gateUp;
    private final Projection down;

    /** @param gate [rows, U]; up likewise */
    FeedForward(BlockWeights.FeedForward weights, Activation activation, Activations gate, Activations up, Pass pass) {
        this.weights = weights;
        this.pass = pass;
        int u = gate.width;
        Projection.Epilogue activate =
                (t, from, to) -> activation.times(gate.data, t * u + from, up.data, t * u + from, to - from);
        gateUp = Projection.together(
                pass.y, List.of(weights.gate(), weights.up()), List.of(gate, up), activate, pass.scratch);
        down = Projection.separate(gate, List.of(weights.down()), List.of(pass.delta), pass::addDelta, pass.scratch);
    }

    void forward() {
        pass.norm(weights.norm(), pass.rows()); // y = norm(x)
        gateUp.run(pass.team, pass.rows()); // gate = activation(W y) * W y
        down.run(pass.team, pass.rows()); // x += W gate
    }
}
