package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** float32 weights. */
final class F32Matrix extends WeightMatrix {

    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment data; // [rows, columns]

    F32Matrix(MemorySegment data, int rows, int columns) {
        super(rows, columns);
        this.data = data;
    }

    @Override
    public String format() {
        return "f32";
    }

    @Override
    public long byteSize() {
        return data.byteSize();
    }

    @Override
    public WeightMatrix slice(int from, int to) {
        long rowBytes = 4L * columns;
        return new F32Matrix(data.asSlice(from * rowBytes, (to - from) * rowBytes), to - from, columns);
    }

    @Override
    public void copyRow(int row, float[] out, int offset) {
        MemorySegment.copy(data, F32, 4L * row * columns, out, offset, columns);
    }
}
