package dev.xlstm.sampling;

import java.util.Map;

/**
 * One link of the chain: changes logits or removes candidates. Steps that look at ids (penalties, biases, grammars) come
 * before those that look at ranks (top-k and its kin).
 */
public interface SamplingStep {

    /** Changes the candidates for the next id; allocates nothing. */
    void apply(Candidates candidates);

    /** Takes note of an id that the sequence went on with. */
    default void accept(int id) {}

    /** Learns the logit, as this step left it or later ones changed it, of the id that was drawn. */
    default void drawn(float logit) {}

    /** Adds what the step remembers, under keys that start with its name. */
    default void save(Map<String, String> state) {}

    /**
     * Takes up what {@link #save} wrote.
     *
     * @throws IllegalArgumentException naming the key whose value is damaged
     */
    default void restore(SavedSampler state) {}
}
