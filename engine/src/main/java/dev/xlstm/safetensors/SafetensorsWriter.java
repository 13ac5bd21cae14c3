package dev.xlstm.safetensors;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes a safetensors file of any size in bounded memory. All names and shapes are declared first; the bytes follow in
 * any order, whole tensors or pieces. {@link #commit()} makes the target appear; without it nothing appears. A writer
 * belongs to the thread that created it.
 */
public final class SafetensorsWriter implements AutoCloseable {

    private static final int ALIGNMENT = 8;
    private static final JsonFactory FACTORY = new JsonFactory();

    /** Positions in the file: of a tensor's next piece, and of its end. */
    private static final class Slot {
        long position;
        long end;
    }

    private final WholeFile file;
    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final Arena arena = Arena.ofShared(); // a direct buffer would stay allocated until the next GC
    private final ByteBuffer staging = arena.allocate(1 << 20).asByteBuffer();

    private SafetensorsWriter(WholeFile file) {
        this.file = file;
    }

    /**
     * Starts a file.
     *
     * @param target replaced by {@link #commit()} if it exists
     * @param attributes for the new file, such as permissions
     * @throws IllegalArgumentException if names repeat or the header would be refused by readers
     */
    public static SafetensorsWriter create(
            Path target, Map<String, String> metadata, List<TensorInfo> tensors, FileAttribute<?>... attributes)
            throws IOException {
        return create(WholeFile.create(target, attributes), metadata, tensors);
    }

    /**
     * Starts a file, or goes on with one that an earlier run, given the same tensors, left unfinished. Closing keeps what was
     * written.
     *
     * @param unfinished where the bytes are until {@link #commit()}; in the directory of the target
     */
    public static SafetensorsWriter resume(
            Path target, Path unfinished, Map<String, String> metadata, List<TensorInfo> tensors) throws IOException {
        return create(WholeFile.resume(target, unfinished), metadata, tensors);
    }

    private static SafetensorsWriter create(WholeFile file, Map<String, String> metadata, List<TensorInfo> tensors)
            throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter(file);
        try {
            // wider types first, as in the reference: every tensor is aligned to its element size
            List<TensorInfo> layout = tensors.stream()
                    .sorted(Comparator.comparingInt(
                            (TensorInfo info) -> -info.dtype().bitSize()))
                    .toList();
            check(layout);
            byte[] header = header(metadata, layout);
            writer.start(header, layout);
            return writer;
        } catch (Throwable e) {
            writer.close();
            throw e;
        }
    }

    private static void check(List<TensorInfo> layout) {
        Set<String> names = new HashSet<>(Set.of(Header.METADATA));
        for (TensorInfo info : layout) {
            if (!names.add(info.name())) {
                throw new IllegalArgumentException("the name '" + info.name() + "' is used twice");
            }
            if (info.shape().length > SafetensorsLimits.DIMENSIONS
                    || Arrays.stream(info.shape()).anyMatch(n -> n < 0)) {
                throw new IllegalArgumentException(info + ": no such shape");
            }
        }
    }

    /** Length and JSON, padded with spaces so that the data are aligned. */
    private static byte[] header(Map<String, String> metadata, List<TensorInfo> layout) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[Long.BYTES]);
        try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectPropertyStart(Header.METADATA);
                metadata.forEach(json::writeStringProperty);
                json.writeEndObject();
            }
            long begin = 0;
            for (TensorInfo info : layout) {
                long end = Math.addExact(begin, info.byteSize());
                json.writeObjectPropertyStart(info.name());
                json.writeStringProperty("dtype", info.dtype().name());
                json.writeName("shape");
                json.writeArray(info.shape(), 0, info.shape().length);
                json.writeName("data_offsets");
                json.writeArray(new long[] {begin, end}, 0, 2);
                json.writeEndObject();
                begin = end;
            }
            json.writeEndObject();
        }
        while (out.size() % ALIGNMENT != 0) {
            out.write(' ');
        }
        byte[] header = out.toByteArray();
        int length = header.length - Long.BYTES;
        if (length > SafetensorsLimits.JSON_BYTES || layout.size() > SafetensorsLimits.TENSORS) {
            throw new IllegalArgumentException("too many tensors or too much metadata for one file");
        }
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        return header;
    }

    private void start(byte[] header, List<TensorInfo> layout) throws IOException {
        put(MemorySegment.ofArray(header), 0);
        long position = header.length;
        for (TensorInfo info : layout) {
            Slot slot = new Slot();
            slot.position = position;
            slot.end = position + info.byteSize();
            slots.put(info.name(), slot);
            position = slot.end;
        }
    }

    /**
     * Writes the next bytes of a tensor.
     *
     * @param piece little-endian, the whole tensor or a part of it
     * @throws IllegalArgumentException if there is no such tensor or it would get more bytes than it has
     */
    public synchronized void write(String name, MemorySegment piece) throws IOException {
        Slot slot = slots.get(name);
        if (slot == null) {
            throw new IllegalArgumentException("tensor '" + name + "' was not declared");
        }
        if (piece.byteSize() > slot.end - slot.position) {
            throw new IllegalArgumentException("more bytes than tensor '" + name + "' has");
        }
        put(piece, slot.position);
        slot.position += piece.byteSize();
    }

    /** Leaves a tensor as an earlier run wrote it. */
    public synchronized void keep(String name) {
        Slot slot = slots.get(name);
        slot.position = slot.end;
    }

    private void put(MemorySegment bytes, long position) throws IOException {
        for (long done = 0; done < bytes.byteSize(); ) {
            int count = (int) Math.min(staging.capacity(), bytes.byteSize() - done);
            staging.clear().limit(count);
            MemorySegment.ofBuffer(staging).copyFrom(bytes.asSlice(done, count));
            file.write(staging, position + done);
            done += count;
        }
    }

    /**
     * Flushes the file to disk and makes it appear under its name.
     *
     * @throws IllegalStateException if a tensor lacks bytes
     */
    public void commit() throws IOException {
        slots.forEach((name, slot) -> {
            if (slot.position != slot.end) {
                throw new IllegalStateException("tensor '" + name + "' lacks " + (slot.end - slot.position) + " bytes");
            }
        });
        file.commit();
    }

    /** Ends writing; deletes the file unless it was committed. */
    @Override
    public void close() throws IOException {
        try {
            file.close();
        } finally {
            arena.close();
        }
    }
}
