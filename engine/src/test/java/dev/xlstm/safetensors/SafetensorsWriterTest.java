package dev.xlstm.safetensors;

import dev.xlstm.RandomCases;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class SafetensorsWriterTest {

    @TempDir
    Path directory;

    private Path target() {
        return directory.resolve("model.safetensors");
    }

    private List<String> fileNames() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }

    /** A chat writes a file after each turn, and may go on for days without a collection of garbage. */
    @Test
    void writersLeaveNoMemoryToTheCollector() throws IOException {
        long before = directBytes();
        for (int i = 0; i < 200; i++) {
            try (SafetensorsWriter writer = SafetensorsWriter.create(target(), Map.of(), List.of())) {
                writer.commit();
            }
        }
        assertThat(directBytes() - before).isLessThan(100L << 20);
    }

    /** Memory outside the heap that waits to be freed with the object that owns it. */
    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    /** Any names, types, shapes and metadata come back as they were, with every byte in its place. */
    @Test
    void readGivesWhatWasWritten() {
        RandomCases.run(200, this::writeAndRead);
    }

    private void writeAndRead(Random random) throws IOException {
        Map<String, byte[]> data = new LinkedHashMap<>();
        List<TensorInfo> infos = new ArrayList<>();
        for (int i = random.nextInt(7); i > 0; i--) {
            String name = randomText(random);
            DType dtype = DType.values()[random.nextInt(DType.values().length)];
            long[] shape = random.longs(random.nextInt(4), 0, 5).toArray();
            if (dtype.bitSize() < Byte.SIZE) { // whole bytes only
                shape = LongStream.concat(LongStream.of(8), LongStream.of(shape))
                        .toArray();
            }
            TensorInfo info = new TensorInfo(name, dtype, shape);
            byte[] bytes = new byte[(int) info.byteSize()];
            random.nextBytes(bytes);
            if (data.putIfAbsent(name, bytes) == null) {
                infos.add(info);
            }
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            metadata.put(randomText(random), randomText(random));
        }
        try (SafetensorsWriter writer = SafetensorsWriter.create(target(), metadata, infos)) {
            for (Map.Entry<String, byte[]> entry : data.entrySet()) {
                MemorySegment bytes = MemorySegment.ofArray(entry.getValue());
                long half = random.nextLong(bytes.byteSize() + 1);
                writer.write(entry.getKey(), bytes.asSlice(0, half));
                writer.write(entry.getKey(), bytes.asSlice(half));
            }
            writer.commit();
        }
        try (SafetensorsFile file = SafetensorsFile.open(target())) {
            assertThat(file.metadata()).isEqualTo(metadata);
            assertThat(file.tensors()).hasSize(infos.size());
            for (TensorInfo info : infos) {
                Tensor tensor = file.tensors().get(info.name());
                assertThat(tensor.dtype()).isEqualTo(info.dtype());
                assertThat(tensor.shape()).isEqualTo(info.shape());
                assertThat(tensor.data().mismatch(MemorySegment.ofArray(data.get(info.name()))))
                        .isEqualTo(-1);
                // the mapping begins on a page: the address tells the place in the file
                assertThat(tensor.data().address() % Math.max(1, info.dtype().bitSize() / 8))
                        .isZero();
            }
        }
    }

    /** Up to 20 characters from all of Unicode, the first ones (controls, quotes, backslash) most often. */
    private static String randomText(Random random) {
        return random.ints(random.nextInt(21), 0, Character.MAX_CODE_POINT + 1)
                .map(c -> c >>> random.nextInt(21))
                // a lone surrogate is no character: it has no UTF-8 form
                .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /** The bytes, against the format's description. */
    @Test
    void writesTheDocumentedBytes() throws Exception {
        TensorInfo info = new TensorInfo("t", DType.F32, 2);
        try (SafetensorsWriter writer = SafetensorsWriter.create(target(), Map.of("k", "v"), List.of(info))) {
            writer.write("t", MemorySegment.ofArray(new float[] {1, -2}));
            writer.commit();
        }
        byte[] bytes = Files.readAllBytes(target());
        String json = "{\"__metadata__\":{\"k\":\"v\"},\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) buffer.getLong();
        assertThat(length % 8).isZero();
        assertThat(length - json.length()).isBetween(0, 7);
        byte[] header = new byte[length];
        buffer.get(header);
        assertThat(new String(header, StandardCharsets.UTF_8).stripTrailing()).isEqualTo(json);
        assertThat(buffer.getFloat()).isEqualTo(1);
        assertThat(buffer.getFloat()).isEqualTo(-2);
        assertThat(buffer.hasRemaining()).isFalse();
    }

    @Test
    void tensorsLargerThanTheBufferComeWhole() throws Exception {
        byte[] bytes = new byte[(3 << 20) + 17];
        new Random(1).nextBytes(bytes);
        TensorInfo info = new TensorInfo("t", DType.U8, bytes.length);
        try (SafetensorsWriter writer = SafetensorsWriter.create(target(), Map.of(), List.of(info))) {
            writer.write("t", MemorySegment.ofArray(bytes));
            writer.commit();
        }
        byte[] written = Files.readAllBytes(target());
        assertThat(Arrays.copyOfRange(written, written.length - bytes.length, written.length))
                .isEqualTo(bytes);
    }

    @Test
    void nothingIsLeftOfAnAbandonedFile() throws Exception {
        Files.writeString(target(), "before");
        TensorInfo info = new TensorInfo("t", DType.U8, 4);
        try (SafetensorsWriter writer = SafetensorsWriter.create(target(), Map.of(), List.of(info))) {
            writer.write("t", MemorySegment.ofArray(new byte[3]));
            assertThat(Files.readString(target())).isEqualTo("before");
            assertThatThrownBy(writer::commit)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("'t' lacks 1 bytes");
        }
        assertThat(Files.readString(target())).isEqualTo("before");
        assertThat(fileNames()).containsExactly("model.safetensors");
    }

    @Test
    void commitReplacesAndLeavesNoOtherFile() throws Exception {
        Files.writeString(target(), "before");
        try (SafetensorsWriter writer = SafetensorsWriter.create(target(), Map.of(), List.of())) {
            writer.commit();
        }
        assertThat(fileNames()).containsExactly("model.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(target())) {
            assertThat(file.tensors()).isEmpty();
        }
    }

    @Test
    void takesPermissions() throws Exception {
        Assumptions.assumeTrue(
                directory.getFileSystem().supportedFileAttributeViews().contains("posix"),
                "this file system has no POSIX permissions");
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                target(),
                Map.of(),
                List.of(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            writer.commit();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target())))
                .isEqualTo("rw-------");
    }

    @Test
    void refusesMisuse() throws Exception {
        TensorInfo info = new TensorInfo("t", DType.U8, 4);
        assertThatThrownBy(() -> SafetensorsWriter.create(target(), Map.of(), List.of(info, info)))
                .hasMessageContaining("'t' is used twice");
        assertThatThrownBy(() -> SafetensorsWriter.create(
                        target(), Map.of(), List.of(new TensorInfo(Header.METADATA, DType.U8, 4))))
                .hasMessageContaining("is used twice");
        assertThatThrownBy(
                        () -> SafetensorsWriter.create(target(), Map.of(), List.of(new TensorInfo("n", DType.U8, -4))))
                .hasMessageContaining("no such shape");
        try (SafetensorsWriter writer = SafetensorsWriter.create(target(), Map.of(), List.of(info))) {
            assertThatThrownBy(() -> writer.write("u", MemorySegment.ofArray(new byte[1])))
                    .hasMessageContaining("'u' was not declared");
            assertThatThrownBy(() -> writer.write("t", MemorySegment.ofArray(new byte[5])))
                    .hasMessageContaining("more bytes than tensor 't' has");
        }
        assertThat(fileNames()).isEmpty();
    }
}
