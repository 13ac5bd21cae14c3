package dev.xlstm.sampling;

/**
 * One link of the chain: changes logits or removes candidates. Steps that look at ids (penalties, biases, grammars) come
 * before those that look at ranks (top-k and its kin).
 */
public interface SamplingStep {

    /** Changes the candidates for the next id; allocates nothing. */
    void apply(Candidates candidates);

    /** Takes note of an id that the sequence went on with. */
    default void accept(int id) {}
}
