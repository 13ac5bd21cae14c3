package dev.xlstm.backend.cpu;

import dev.xlstm.tensor.PackedActivations;

/** A float32 array {@code [rows, width]} that grows to the largest number of rows seen. */
final class Activations {

    final int width;
    float[] data = {};

    /** The same, packed for products with matrices: one buffer for all layers that read these activations. */
    final PackedActivations packed;

    Activations(int width) {
        this.width = width;
        packed = new PackedActivations(width);
    }

    void ensureRows(int rows) {
        if (data.length < rows * width) {
            data = new float[rows * width];
        }
    }
}
