package dev.xlstm.safetensors;

import dev.xlstm.RandomCases;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class SafetensorsFileTest {

    private static final String GOOD =
            "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
                    + "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[8,9]}}";

    @TempDir
    Path directory;

    /** A file as its specification draws it, without the writer under test elsewhere. */
    static byte[] file(String header, int dataLength) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + dataLength)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array();
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(directory.resolve("x.safetensors"), bytes);
    }

    private static String tensor(String dtype, String shape, String offsets) {
        return "{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
    }

    @Test
    void readsWhatTheSpecificationDraws() throws Exception {
        byte[] bytes = file(GOOD + "   ", 9);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 5, -2.5f);
        bytes[bytes.length - 1] = 7;
        try (SafetensorsFile file = SafetensorsFile.open(write(bytes))) {
            assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
            assertThat(file.byteSize()).isEqualTo(9);
            assertThat(file.tensors()).containsOnlyKeys("a", "b");
            Tensor a = file.tensors().get("a");
            assertThat(a.dtype()).isEqualTo(DType.F32);
            assertThat(a.shape()).containsExactly(2, 1);
            assertThat(a.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 4))
                    .isEqualTo(-2.5f);
            Tensor b = file.tensors().get("b");
            assertThat(b.shape()).isEmpty();
            assertThat(b.elementCount()).isEqualTo(1);
            assertThat(b.data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
        }
    }

    @Test
    void otherThreadsReadUntilItIsClosed() throws Exception {
        SafetensorsFile file = SafetensorsFile.open(write(file(GOOD, 9)));
        Tensor b = file.tensors().get("b");
        Thread reader = new Thread(() -> b.data().get(ValueLayout.JAVA_BYTE, 0));
        Throwable[] thrown = new Throwable[1];
        reader.setUncaughtExceptionHandler((thread, e) -> thrown[0] = e);
        reader.start();
        reader.join();
        assertThat(thrown[0]).isNull();
        file.close();
        file.close();
        assertThatThrownBy(() -> b.data().get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void emptyTensorsTakeNoRoom() throws Exception {
        String header = "{\"z\":{\"dtype\":\"F64\",\"shape\":[0,9223372036854775807],\"data_offsets\":[0,0]},"
                + "\"a\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[0,2]}}";
        try (SafetensorsFile file = SafetensorsFile.open(write(file(header, 2)))) {
            assertThat(file.tensors().get("z").elementCount()).isZero();
            assertThat(file.tensors().get("a").elementCount()).isEqualTo(1);
        }
    }

    @Test
    void aFileCutShortWhileItIsOpenIsNoticed() throws Exception {
        Path path = write(file(GOOD, 9));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            file.checkWhole();
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                channel.truncate(20);
            }
            assertThatThrownBy(file::checkWhole)
                    .isInstanceOf(SafetensorsException.class)
                    .hasMessageContaining("was truncated while it was in use");
            Files.delete(path); // its name may go: what was opened stays
        }
    }

    static Stream<Arguments> damaged() {
        String entry = "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":";
        String ten = "1,1,1,1,1,1,1,1,1,1";
        return Stream.of(
                Arguments.of("not JSON", file("{nonsense}", 0), "the header is not valid JSON"),
                Arguments.of("no object", file("[1,2]", 0), "the header is not a JSON object"),
                Arguments.of("cut JSON", file(GOOD.substring(0, 60), 9), "the header is not valid JSON"),
                Arguments.of("more after the object", file(GOOD + "{}", 9), "has more text after its closing brace"),
                Arguments.of("zeros after the object", file(GOOD + "\0\0", 9), "the header is not valid JSON"),
                Arguments.of("UTF-16", file("{\0}\0", 0), "the header is not valid JSON"),
                Arguments.of("tensor is no object", file("{\"a\":3}", 0), "tensor 'a' is not a JSON object"),
                Arguments.of("unknown dtype", file(tensor("F3", "[4]", "[0,4]"), 4), "dtype is 'F3'"),
                Arguments.of("lower-case dtype", file(tensor("f32", "[1]", "[0,4]"), 4), "dtype is 'f32'"),
                Arguments.of("no dtype", file("{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", 4), "lacks its dtype"),
                Arguments.of(
                        "no shape", file("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4), "lacks its shape"),
                Arguments.of(
                        "no offsets", file("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4), "lacks its data_offsets"),
                Arguments.of("negative length", file(tensor("U8", "[-4]", "[0,4]"), 4), "shape holds a negative"),
                Arguments.of("fraction", file(tensor("U8", "[4.0]", "[0,4]"), 4), "must hold whole numbers only"),
                Arguments.of("nested shape", file(tensor("U8", "[[4]]", "[0,4]"), 4), "must hold whole numbers only"),
                Arguments.of("shape is a number", file(tensor("U8", "4", "[0,4]"), 4), "shape is not an array"),
                Arguments.of("beyond 63 bits", file(tensor("U8", "[9223372036854775808]", "[0,4]"), 4), "63 bits"),
                Arguments.of(
                        "overflow to the right length",
                        file(tensor("F32", "[4611686018427387905,1]", "[0,4]"), 4),
                        "does not make a number of bytes"),
                Arguments.of(
                        "overflow of the product",
                        file(tensor("U8", "[4294967296,4294967296]", "[0,0]"), 0),
                        "does not make a number of bytes"),
                Arguments.of(
                        "too many dimensions",
                        file(tensor("U8", "[" + ten + "," + ten + "]", "[0,1]"), 1),
                        "more than 16"),
                Arguments.of(
                        "length ≠ shape", file(tensor("F16", "[4]", "[0,4]"), 4), "has 4 bytes, but F16[4] takes 8"),
                Arguments.of("backwards", file(tensor("U8", "[4]", "[4,0]"), 4), "are not a range"),
                Arguments.of("one offset", file(tensor("U8", "[4]", "[4]"), 4), "are not a range"),
                Arguments.of("three offsets", file(tensor("U8", "[4]", "[0,4,8]"), 4), "more than 2 numbers"),
                Arguments.of("negative offset", file(tensor("U8", "[4]", "[-4,0]"), 4), "holds a negative number"),
                Arguments.of("out of range", file(tensor("U8", "[4]", "[0,4]"), 3), "holds only 3; it seems truncated"),
                Arguments.of("trailing bytes", file(tensor("U8", "[4]", "[0,4]"), 6), "2 bytes after the last tensor"),
                Arguments.of("data without tensors", file("{}", 1), "1 bytes after the last tensor"),
                Arguments.of(
                        "gap at the beginning", file(tensor("U8", "[4]", "[1,5]"), 5), "1 bytes before tensor 'a'"),
                Arguments.of(
                        "gap between",
                        file("{\"a\":{" + entry + "[0,4]},\"b\":{" + entry + "[6,10]}}", 10),
                        "2 bytes before tensor 'b'"),
                Arguments.of(
                        "overlap",
                        file("{\"a\":{" + entry + "[0,4]},\"b\":{" + entry + "[2,6]}}", 6),
                        "tensor 'b' overlaps"),
                Arguments.of(
                        "the same bytes twice",
                        file("{\"a\":{" + entry + "[0,4]},\"b\":{" + entry + "[0,4]}}", 4),
                        "tensor 'b' overlaps"),
                Arguments.of(
                        "the same name twice",
                        file("{\"a\":{" + entry + "[0,4]},\"a\":{" + entry + "[4,8]}}", 8),
                        "the name 'a' occurs twice"),
                Arguments.of(
                        "the same field twice",
                        file("{\"a\":{\"dtype\":\"U8\"," + entry + "[0,4]}}", 4),
                        "dtype occurs twice"),
                Arguments.of(
                        "metadata twice",
                        file("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
                        "the name '__metadata__' occurs twice"),
                Arguments.of(
                        "metadata key twice",
                        file("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0),
                        "'k' occurs twice"),
                Arguments.of("metadata of numbers", file("{\"__metadata__\":{\"k\":1}}", 0), "'k' is not a string"),
                Arguments.of("long name", file("{\"" + "n".repeat(60_000) + "\":{}}", 0), "not valid JSON"),
                Arguments.of("deep nesting", file("{\"a\":{\"x\":" + "[".repeat(50_000), 0), "not valid JSON"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("damaged")
    void refusesInOneLine(String name, byte[] bytes, String complaint) throws Exception {
        Path path = write(bytes);
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageStartingWith(path + ": ")
                .hasMessageContaining(complaint)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContainPattern("\\p{Cc}"));
    }

    @Test
    void refusesInvalidUtf8() throws Exception {
        byte[] bytes = file("{\"?\":{}}", 0);
        bytes[10] = (byte) 0xff;
        assertThatThrownBy(() -> SafetensorsFile.open(write(bytes)))
                .hasMessageContaining("the header is not valid UTF-8");
    }

    @Test
    void refusesImpossibleHeaderLengths() throws Exception {
        for (long length : new long[] {100_000_001, Long.MAX_VALUE, Long.MIN_VALUE, -1}) {
            byte[] bytes = file(GOOD, 9);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
            assertThatThrownBy(() -> SafetensorsFile.open(write(bytes)))
                    .hasMessageContaining("a header of " + Long.toUnsignedString(length) + " bytes (limit 100000000)");
        }
        byte[] beyond = file(GOOD, 9);
        ByteBuffer.wrap(beyond).order(ByteOrder.LITTLE_ENDIAN).putLong(beyond.length - 7);
        assertThatThrownBy(() -> SafetensorsFile.open(write(beyond))).hasMessageContaining("seems truncated");
        for (long length : new long[] {0, 1}) {
            byte[] bytes = file(GOOD, 9);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
            assertThatThrownBy(() -> SafetensorsFile.open(write(bytes))).hasMessageContaining("is not a JSON object");
        }
        for (int size : new int[] {0, 1, 8, 9}) {
            assertThatThrownBy(() -> SafetensorsFile.open(write(new byte[size])))
                    .hasMessageContaining("has only " + size + " bytes");
        }
    }

    @Test
    void namesAGitLfsPointer() throws Exception {
        Path path = write("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
                .getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("run git lfs pull");
    }

    @Test
    @Timeout(value = 20, unit = TimeUnit.SECONDS) // opening a pipe waits for its other end
    void refusesWhatIsNoRegularFile() throws Exception {
        assertThatThrownBy(() -> SafetensorsFile.open(directory)).hasMessageContaining("is a directory");
        assertThatThrownBy(() -> SafetensorsFile.open(directory.resolve("none")))
                .hasMessageContaining("no such file");
        Path device = Path.of("/dev/zero");
        if (Files.exists(device)) {
            assertThatThrownBy(() -> SafetensorsFile.open(device)).hasMessageContaining("is not a regular file");
        }
        Path pipe = directory.resolve("pipe");
        Process process = null;
        try {
            process = new ProcessBuilder("mkfifo", pipe.toString()).start();
        } catch (IOException e) {
            Assumptions.abort("there is no mkfifo on this machine");
        }
        assertThat(process.waitFor()).isZero();
        assertThatThrownBy(() -> SafetensorsFile.open(pipe)).hasMessageContaining("is not a regular file");
    }

    @Test
    void refusesTooManyTensors() throws Exception {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i <= SafetensorsLimits.TENSORS; i++) {
            header.append(i == 0 ? "" : ",").append('"').append(i);
            header.append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
        }
        assertThatThrownBy(
                        () -> SafetensorsFile.open(write(file(header.append('}').toString(), 0))))
                .hasMessageContaining("more than 100000 tensors");
    }

    /** However a good file is damaged, it opens or is refused; nothing else is thrown, nothing reaches out of it. */
    @Test
    void damageIsRefusedOrHarmless() {
        RandomCases.run(1000, random -> {
            byte[] bytes = file(GOOD, 9);
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length) : bytes.length;
            checkDamaged(write(Arrays.copyOf(bytes, length)));
        });
    }

    private static void checkDamaged(Path path) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            long total = 0;
            for (Tensor tensor : file.tensors().values()) {
                assertThat(tensor.data().byteSize())
                        .isEqualTo(tensor.elementCount() * tensor.dtype().byteSize());
                total += tensor.data().byteSize();
            }
            assertThat(total).isEqualTo(file.byteSize());
        } catch (SafetensorsException e) {
            assertThat(e.getMessage()).startsWith(path + ": ").doesNotContainPattern("\\p{Cc}");
        }
    }
}
