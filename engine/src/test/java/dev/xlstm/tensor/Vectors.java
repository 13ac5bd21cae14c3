package dev.xlstm.tensor;

/** For tests of other packages: whether loops are vector loops, scalar ones, or whichever is faster. */
public final class Vectors {

    private Vectors() {}

    /** All loops are vector loops from now on, or scalar ones; null leaves it to what is faster. */
    public static void force(Boolean vectors) {
        KernelWarmup.force(vectors);
    }
}
