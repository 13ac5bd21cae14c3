package dev.xlstm.sampling;

import java.util.Map;

/**
 * One link of the chain: changes logits or removes candidates. Steps that look at ids (penalties, biases, grammars) come
 * before those that look at ranks (top-k and its kin).
 */
public interface SamplingStep {

    /** Changes the candidates for the next id; allocates nothing. */
    void apply(Candidates candidates);

    /** Adds an id that the sequence went on with. */
    default void accept(int id) {}

    /** Learns the logit, as this step left it or later ones changed it, of the id that was drawn. */
    default void drawn(float logit) {}

    /** Takes the state of another step of the same options; allocates nothing. */
    default void copyFrom(SamplingStep other) {}

    /** Adds the state of the step, under keys that start with its name. */
    default void save(Map<String, String> state) {}

    /**
     * Restores what {@link #save} wrote.
     *
     * @throws IllegalArgumentException naming the key whose value is damaged
     */
    default void restore(SavedSampler state) {}
}
