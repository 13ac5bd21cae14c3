package dev.xlstm.backend;

/** A float32 array {@code [rows, width]} that grows to the largest number of rows seen. */
final class Activations {

    final int width;
    float[] data = {};

    Activations(int width) {
        this.width = width;
    }

    void ensureRows(int rows) {
        if (data.length < rows * width) {
            data = new float[rows * width];
        }
    }
}
