package dev.xlstm.cli.options;

import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.util.Optional;

/** Warns of a model that is larger than the memory of the machine, where each token would read the disk. */
final class MemoryWarning {

    private MemoryWarning() {}

    /**
     * @param format that the weights are converted to; null for the stored one
     * @param memory of the machine in bytes
     */
    static Optional<String> of(ModelDirectory directory, String format, long memory) throws IOException {
        long elements = 0;
        long stored = 0;
        for (Tensor tensor : directory.checkpoint().tensors().values()) {
            elements += tensor.elementCount();
            stored += tensor.data().byteSize();
        }
        long bytes = format == null ? stored : bytes(elements, WeightFormat.of(format));
        return of(bytes, elements, memory);
    }

    /**
     * @param bytes of the weights as they will be in memory
     * @param elements number of weights
     */
    static Optional<String> of(long bytes, long elements, long memory) {
        if (bytes <= memory) {
            return Optional.empty();
        }
        String advice = "no format makes it fit: use a machine with more memory";
        for (WeightFormat format : new WeightFormat[] {WeightFormat.BF16, WeightFormat.Q8_0, WeightFormat.Q4_0}) {
            long needed = bytes(elements, format);
            if (needed < bytes && needed <= 0.8 * memory) { // other programs need memory, too
                advice = "--format " + format + " needs " + ByteSize.text(needed)
                        + ", and xlstm quantize saves such a copy";
                break;
            }
        }
        return Optional.of("xlstm: warning: the weights take " + ByteSize.text(bytes) + ", more than the "
                + ByteSize.text(memory) + " of memory of this machine, and will be slow; " + advice);
    }

    /** Bytes of weights; blocks of 32 quantized weights have a scale of 2 bytes. */
    private static long bytes(long elements, WeightFormat format) {
        return switch (format) {
            case F32 -> 4 * elements;
            case F16, BF16 -> 2 * elements;
            case Q8_0 -> elements + elements / 16;
            case Q4_0 -> elements / 2 + elements / 16;
        };
    }
}
