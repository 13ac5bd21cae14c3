package dev.xlstm.tensor;

/** A float32 array {@code [rows, width]} that grows to the largest number of rows seen. */
public final class Activations {

    public final int width;

    /** Row-major; {@link #ensureRows} may replace the array. */
    public float[] data = {};

    /** The same, packed for products with matrices: one buffer for all layers that read these activations. */
    public final PackedActivations packed;

    public Activations(int width) {
        this.width = width;
        packed = new PackedActivations(width);
    }

    /** Makes room for at least {@code rows} rows; the content is lost if the array has to grow. */
    public void ensureRows(int rows) {
        if (data.length < rows * width) {
            data = new float[rows * width];
        }
    }
}
