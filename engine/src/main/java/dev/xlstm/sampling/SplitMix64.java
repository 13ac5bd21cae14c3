package dev.xlstm.sampling;

/**
 * The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014), with its standard
 * increment. Its state is one number, so a saved generator resumes exactly, on any version of Java.
 */
final class SplitMix64 {

    private long state;

    SplitMix64(long state) {
        this.state = state;
    }

    long state() {
        return state;
    }

    void restore(long saved) {
        state = saved;
    }

    long nextLong() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Uniform in [0, 1), 53 bits. */
    double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }
}
