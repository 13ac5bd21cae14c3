package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shape that all kernels share, and operations whose results must be the same in interpreted and compiled code:
 * the Vector API leaves the order of {@code reduceLanes} and the last bits of {@code EXP} open, so sums and exponentials
 * are written out here.
 */
public final class Simd {

    /**
     * The widest shape of the machine, or the width in bits that the system property {@code xlstm.vector.bits} names:
     * the widest vectors are not the fastest on every processor.
     */
    public static final VectorSpecies<Float> F32 = species();

    /** float32 lanes of a vector; a power of two. */
    public static final int LANES = F32.length();

    /** As many lanes of 32-bit integers. */
    static final VectorSpecies<Integer> I32 = VectorSpecies.of(int.class, F32.vectorShape());

    /** Half as wide: as many lanes of 16 bits. */
    static final VectorSpecies<Short> I16 =
            VectorSpecies.of(short.class, VectorShape.forBitSize(F32.vectorBitSize() / 2));

    /** A quarter as wide: as many lanes of 8 bits. There is no shape of 32 bits, so 4 lanes go without. */
    static final VectorSpecies<Byte> I8 =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, F32.vectorBitSize() / 4)));

    /** Moves byte i of a little-endian word to the top of lane i, for 4 lanes. */
    private static final IntVector FOUR_BYTES_UP =
            IntVector.broadcast(I32, 24).sub(IntVector.zero(I32).addIndex(8));

    /** A word anywhere in a file. */
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** A 16-bit value anywhere in a file. */
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Shorts of the same shape. */
    static final VectorSpecies<Short> WIDE_I16 = VectorSpecies.of(short.class, F32.vectorShape());

    /**
     * Whether the processor shifts each 16-bit lane by a count of its own. x86 does with AVX-512, where the widest vectors have
     * 512 bits.
     */
    static final boolean SHORT_SHIFTS = FloatVector.SPECIES_PREFERRED.vectorBitSize() == 512
            || !System.getProperty("os.arch").matches("amd64|x86_64");

    private static final VectorShuffle<Float> SWAP_1 = swap(1);
    private static final VectorShuffle<Float> SWAP_2 = swap(2);
    private static final VectorShuffle<Float> SWAP_4 = swap(4);
    private static final VectorShuffle<Float> SWAP_8 = swap(8);

    private Simd() {}

    private static VectorSpecies<Float> species() {
        String bits = System.getProperty("xlstm.vector.bits");
        if (bits == null) {
            return FloatVector.SPECIES_PREFERRED;
        }
        return switch (bits) {
            case "128" -> VectorSpecies.of(float.class, VectorShape.S_128_BIT);
            case "256" -> VectorSpecies.of(float.class, VectorShape.S_256_BIT);
            case "512" -> VectorSpecies.of(float.class, VectorShape.S_512_BIT);
            default -> throw new IllegalArgumentException("xlstm.vector.bits must be 128, 256 or 512, not " + bits);
        };
    }

    private static VectorShuffle<Float> swap(int distance) {
        return VectorShuffle.fromOp(F32, lane -> (lane ^ distance) & (LANES - 1));
    }

    /**
     * Where the vector loop over {@code length} elements ends: a multiple of {@link #LANES}, and 0 until
     * {@link KernelWarmup#vectorsAreCompiled}. A scalar loop of the same bits does the rest.
     */
    public static int bound(int length) {
        return KernelWarmup.vectorsAreCompiled() ? length & -LANES : 0;
    }

    /** The sum of all lanes: opposite halves are added until one lane is left. */
    public static float sum(FloatVector v) {
        if (LANES > 8) {
            v = v.add(v.rearrange(SWAP_8));
        }
        if (LANES > 4) {
            v = v.add(v.rearrange(SWAP_4));
        }
        if (LANES > 2) {
            v = v.add(v.rearrange(SWAP_2));
        }
        return v.add(v.rearrange(SWAP_1)).lane(0);
    }

    /**
     * {@code v[i] = } the sum of vector i of v, for i in [from, to). Repeats {@link #sum(FloatVector)}: C2 compiles a method that
     * is called often from several places by itself, no longer inlines it, and then allocates its argument.
     */
    static void sums(float[] v, int from, int to) {
        for (int i = from; i < to; i++) { // v[i] lies in a vector that has been summed already
            FloatVector s = FloatVector.fromArray(F32, v, i * LANES);
            if (LANES > 8) {
                s = s.add(s.rearrange(SWAP_8));
            }
            if (LANES > 4) {
                s = s.add(s.rearrange(SWAP_4));
            }
            if (LANES > 2) {
                s = s.add(s.rearrange(SWAP_2));
            }
            v[i] = s.add(s.rearrange(SWAP_1)).lane(0);
        }
    }

    /** The same sum of {@link #LANES} numbers from an offset on, to the bit; they are overwritten. */
    static float sum(float[] v, int offset) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int l = 0; l < half; l++) {
                v[offset + l] += v[offset + l + half];
            }
        }
        return v[offset];
    }

    /**
     * {@code e^x} to about 2 units in the last place, for x clamped to [-87.3, 88.3] (so never 0 and never infinite); NaN
     * stays NaN. Cody-Waite reduction to {@code 2^n e^r}, |r| ≤ ln 2 / 2, and the minimax polynomial of the Cephes library's
     * {@code expf}.
     */
    public static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(-87.3f).min(88.3f);
        // adding 1.5 * 2^23 rounds to an integer, which is then also what the low mantissa bits hold: here n + 127
        FloatVector shifted =
                clamped.fma(FloatVector.broadcast(F32, 1.44269504f), FloatVector.broadcast(F32, 0x1.8p23f + 127));
        FloatVector n = shifted.sub(0x1.8p23f + 127);
        FloatVector r = n.fma(FloatVector.broadcast(F32, -0.693359375f), clamped);
        r = n.fma(FloatVector.broadcast(F32, 2.12194440e-4f), r);
        FloatVector p = FloatVector.broadcast(F32, 1.9875691500e-4f);
        p = p.fma(r, FloatVector.broadcast(F32, 1.3981999507e-3f));
        p = p.fma(r, FloatVector.broadcast(F32, 8.3334519073e-3f));
        p = p.fma(r, FloatVector.broadcast(F32, 4.1665795894e-2f));
        p = p.fma(r, FloatVector.broadcast(F32, 1.6666665459e-1f));
        p = p.fma(r, FloatVector.broadcast(F32, 5.0000001201e-1f));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector power = shifted.viewAsIntegralLanes().lanewise(VectorOperators.LSHL, 23); // the bits of 2^n
        return p.mul(power.viewAsFloatingLanes()); // a product, so that NaN stays NaN
    }

    /** The same for one number, to the bit. */
    static float exp(float x) {
        float clamped = Math.min(Math.max(x, -87.3f), 88.3f);
        float shifted = Math.fma(clamped, 1.44269504f, 0x1.8p23f + 127);
        float n = shifted - (0x1.8p23f + 127);
        float r = Math.fma(n, -0.693359375f, clamped);
        r = Math.fma(n, 2.12194440e-4f, r);
        float p = 1.9875691500e-4f;
        p = Math.fma(p, r, 1.3981999507e-3f);
        p = Math.fma(p, r, 8.3334519073e-3f);
        p = Math.fma(p, r, 4.1665795894e-2f);
        p = Math.fma(p, r, 1.6666665459e-1f);
        p = Math.fma(p, r, 5.0000001201e-1f);
        p = Math.fma(p, r * r, r) + 1f;
        return p * Float.intBitsToFloat(Float.floatToRawIntBits(shifted) << 23);
    }

    /**
     * Reads a byte before every loop over weights. If a mapped file is truncated, HotSpot throws {@link InternalError} only
     * from compiled code that has a scalar access to the file; code with vector loads alone crashes the process. C2 drops the
     * load itself.
     */
    static void mayFault(MemorySegment source, long offset) {
        source.get(ValueLayout.JAVA_BYTE, offset);
    }

    /** The {@link #LANES} 16-bit values at a byte offset, sign-extended to ints. */
    static IntVector shorts(MemorySegment source, long offset) {
        return (IntVector) ShortVector.fromMemorySegment(I16, source, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, I32, 0);
    }

    /** The {@link #LANES} signed bytes at an offset as floats. */
    static FloatVector bytes(MemorySegment source, long offset) {
        if (LANES == 4) {
            IntVector word = IntVector.broadcast(I32, source.get(INT, offset));
            return (FloatVector) word.lanewise(VectorOperators.LSHL, FOUR_BYTES_UP)
                    .lanewise(VectorOperators.ASHR, 24)
                    .convert(VectorOperators.I2F, 0);
        }
        return (FloatVector) ByteVector.fromMemorySegment(I8, source, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.B2F, F32, 0);
    }

    /** The {@link #LANES} little-endian ints at an offset. */
    static IntVector ints(MemorySegment source, long offset) {
        return IntVector.fromMemorySegment(I32, source, offset, ByteOrder.LITTLE_ENDIAN);
    }

    /** The upper half of a float32, rounded to nearest, ties to even. */
    public static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40); // quiet, and still not a number
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** Converts {@code count} half-precision numbers from an offset on. */
    static void halves(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i++) {
            out[outOffset + i] = Float.float16ToFloat(source.get(SHORT, offset + 2L * i));
        }
    }
}
