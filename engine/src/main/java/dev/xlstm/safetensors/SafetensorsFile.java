package dev.xlstm.safetensors;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A safetensors file, mapped into memory. Opening reads the header only; the operating system reads the tensors' pages
 * when they are used. Any thread may read them until {@link #close()}.
 *
 * <p>Format: the header's length (8 bytes, little-endian), the header (JSON, UTF-8), the tensors' bytes.
 */
public final class SafetensorsFile implements AutoCloseable {

    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final String LFS_POINTER = "version https://git-lfs";

    private final Path path;
    private final Arena arena;
    private final RandomAccessFile file; // not a channel: an interrupt would close it
    private final long length;
    private final Map<String, Tensor> tensors;
    private final Map<String, String> metadata;
    private final long byteSize;

    private SafetensorsFile(
            Path path, Arena arena, RandomAccessFile file, long length, Header header, MemorySegment data) {
        this.path = path;
        this.arena = arena;
        this.file = file;
        this.length = length;
        this.byteSize = data.byteSize();
        Map<String, Tensor> byName =
                LinkedHashMap.newLinkedHashMap(header.entries().size());
        for (Header.Entry entry : header.entries()) {
            TensorInfo info = entry.info();
            MemorySegment bytes = data.asSlice(entry.begin(), entry.end() - entry.begin());
            byName.put(info.name(), new Tensor(info.name(), info.dtype(), info.shape(), bytes));
        }
        this.tensors = Collections.unmodifiableMap(byName);
        this.metadata = Collections.unmodifiableMap(header.metadata());
    }

    /**
     * Maps a file and checks its header.
     *
     * @throws SafetensorsException if the file is not a safetensors file or its header does not match its data
     */
    public static SafetensorsFile open(Path path) throws IOException {
        JsonSource.regularFileSize(path); // before opening, since a pipe would block
        Arena arena = Arena.ofShared();
        RandomAccessFile opened = null;
        try {
            opened = new RandomAccessFile(path.toFile(), "r");
            MemorySegment file = opened.getChannel()
                    .map(FileChannel.MapMode.READ_ONLY, 0, opened.length(), arena); // of any size, unlike a buffer
            long headerLength = headerLength(path, file);
            MemorySegment data = file.asSlice(LENGTH.byteSize() + headerLength);
            Header header = Header.parse(
                    path, file.asSlice(LENGTH.byteSize(), headerLength).asByteBuffer(), data.byteSize());
            return new SafetensorsFile(path, arena, opened, file.byteSize(), header, data);
        } catch (Throwable e) {
            arena.close();
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    private static long headerLength(Path path, MemorySegment file) throws SafetensorsException {
        if (file.byteSize() < LENGTH.byteSize() + 2) {
            throw new SafetensorsException(path, "has only " + file.byteSize() + " bytes; fetch it again");
        }
        long length = file.get(LENGTH, 0);
        long rest = file.byteSize() - LENGTH.byteSize();
        if (startsWith(file, LFS_POINTER)) {
            throw new SafetensorsException(path, "is a git-lfs pointer, not the file itself; run git lfs pull");
        }
        if (length < 0 || length > SafetensorsLimits.JSON_BYTES) {
            throw new SafetensorsException(
                    path,
                    "is not a safetensors file: a header of " + Long.toUnsignedString(length) + " bytes (limit "
                            + SafetensorsLimits.JSON_BYTES + ")");
        }
        if (length > rest) {
            throw new SafetensorsException(
                    path,
                    "the header takes " + length + " bytes, but only " + rest
                            + " follow; it seems truncated, fetch it again");
        }
        if (length < 2 || file.get(ValueLayout.JAVA_BYTE, LENGTH.byteSize()) != '{') {
            throw new SafetensorsException(path, "is not a safetensors file: the header is not a JSON object");
        }
        return length;
    }

    private static boolean startsWith(MemorySegment file, String text) {
        MemorySegment bytes = MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
        return file.byteSize() >= bytes.byteSize()
                && file.asSlice(0, bytes.byteSize()).mismatch(bytes) < 0;
    }

    public Path path() {
        return path;
    }

    /** By name, in the order of their bytes. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** The strings under {@code __metadata__}; empty if there are none. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Bytes of all tensors. */
    public long byteSize() {
        return byteSize;
    }

    /**
     * Checks that the file has not been truncated since it was opened. A read beyond the end of a mapped file crashes the
     * process, so callers check before each use; a check takes a microsecond.
     *
     * @throws SafetensorsException if the file is shorter than it was
     */
    public void checkWhole() throws IOException {
        if (file.length() < length) {
            throw new SafetensorsException(path, "was truncated while it was in use; fetch it again");
        }
    }

    /** Unmaps the file; its tensors can no longer be read. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
            try {
                file.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
