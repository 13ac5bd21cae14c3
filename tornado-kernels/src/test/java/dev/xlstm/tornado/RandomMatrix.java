package dev.xlstm.tornado;

import java.util.Random;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** A matrix of random bits in a device format, and the numbers they mean. */
final class RandomMatrix {

    final int format;
    final int rows;
    final int columns;
    final FloatArray floats;
    final HalfFloatArray halves;
    final IntArray words;
    final double[] values; // [rows, columns]

    RandomMatrix(int format, int rows, int columns, Random random) {
        this.format = format;
        this.rows = rows;
        this.columns = columns;
        int count = rows * columns;
        boolean f16 = format == DeviceMatrix.F16;
        floats = new FloatArray(format == DeviceMatrix.F32 ? count : f16 ? rows : 1);
        halves = new HalfFloatArray(f16 ? count : format == DeviceMatrix.F32 ? 1 : count / 32);
        int perWord = format == DeviceMatrix.Q8_0 ? 4 : 8;
        words = new IntArray(format == DeviceMatrix.F32 || f16 ? 1 : count / perWord);
        values = new double[count];
        for (int i = 0; i < floats.getSize(); i++) {
            floats.set(i, f16 ? Math.scalb(1f, random.nextInt(7) - 3) : (float) random.nextGaussian());
        }
        for (int i = 0; i < halves.getSize(); i++) {
            halves.set(i, new HalfFloat((float) random.nextGaussian()));
        }
        for (int i = 0; i < words.getSize(); i++) {
            words.set(i, random.nextInt());
        }
        for (int i = 0; i < count; i++) {
            values[i] = switch (format) {
                case DeviceMatrix.F32 -> floats.get(i);
                case DeviceMatrix.F16 -> (double) half(i) * floats.get(i / columns);
                case DeviceMatrix.Q8_0 -> (double) half(i / 32) * (byte) (words.get(i / 4) >> 8 * (i % 4));
                default -> (double) half(i / 32) * ((words.get(i / 8) >>> 4 * (i % 8) & 15) - 8);
            };
        }
    }

    private float half(int index) {
        return halves.get(index).getFloat32();
    }
}
