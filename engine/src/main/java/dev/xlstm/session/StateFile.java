package dev.xlstm.session;

import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.StateLayout;
import dev.xlstm.backend.StateLayout.Part;
import dev.xlstm.model.Fingerprint;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.SafetensorsException;
import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.SafetensorsWriter;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.safetensors.TensorInfo;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

/**
 * A session on disk, as a safetensors file. A session read from a float32 file continues bit for bit as the one that was
 * written.
 *
 * <p>Tensors: the parts of the state under the names of {@link StateLayout}, in a file of xLSTM large {@code layers.I.c [NH,
 * dqk, dv]}, {@code layers.I.n [NH, dqk]} and {@code layers.I.m [NH]}; {@code waiting}, ids fed but not yet computed; {@code
 * logits [V]}, if computed. A bf16 file stores c as bf16: half the size, and approximate.
 *
 * <p>Metadata: {@code format}, {@code version}, {@code model} and {@code weights} ({@link Fingerprint}), {@code tokens}
 * (ids fed), {@code checksum} (CRC-32C over the rest of the metadata and all tensors), and the caller's own keys.
 */
public final class StateFile {

    /** Incremented when older files can no longer be read. */
    private static final String VERSION = "1";

    private static final String FORMAT = "xlstm-state";
    private static final String FORMAT_KEY = "format";
    private static final String VERSION_KEY = "version";
    private static final String MODEL_KEY = "model";
    private static final String WEIGHTS_KEY = "weights";
    private static final String TOKENS_KEY = "tokens";
    private static final String CHECKSUM_KEY = "checksum";
    private static final Set<String> OWN_KEYS =
            Set.of(FORMAT_KEY, VERSION_KEY, MODEL_KEY, WEIGHTS_KEY, TOKENS_KEY, CHECKSUM_KEY);

    private static final String RECREATE = "; recreate it with xlstm prime";
    private static final String OR_RECREATE = " or recreate the state with xlstm prime";

    private static final String WAITING = "waiting";
    private static final String LOGITS = "logits";

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Session session;
    private final Map<String, String> extra;

    private StateFile(Session session, Map<String, String> extra) {
        this.session = session;
        this.extra = extra;
    }

    /** The session that was read; the caller closes it. */
    public Session session() {
        return session;
    }

    /** The metadata that the caller added when writing. */
    public Map<String, String> extra() {
        return extra;
    }

    /**
     * Writes a session. The file appears complete and flushed to disk, or not at all.
     *
     * @param model of the session
     * @param dtype F32, or BF16 for an approximate file of half the size
     * @param extra metadata of the caller
     * @param attributes of the new file, such as permissions
     * @throws IllegalArgumentException for another dtype, or if {@code extra} has a key of the format
     * @throws IllegalStateException if the session is unusable, for example after a {@link NonFiniteException}; writes no file
     */
    public static void write(
            Path file,
            Session session,
            Fingerprint model,
            DType dtype,
            Map<String, String> extra,
            FileAttribute<?>... attributes)
            throws IOException {
        if (dtype != DType.F32 && dtype != DType.BF16) {
            throw new IllegalArgumentException("a state is written as F32 or BF16, not " + dtype);
        }
        if (extra.keySet().stream().anyMatch(OWN_KEYS::contains)) {
            throw new IllegalArgumentException("metadata under keys of the format: " + extra.keySet());
        }
        session.checkSound();
        try (Arena arena = Arena.ofConfined()) {
            List<Tensor> tensors = tensors(session, dtype, arena);
            Map<String, String> metadata = new LinkedHashMap<>();
            metadata.put(FORMAT_KEY, FORMAT);
            metadata.put(VERSION_KEY, VERSION);
            metadata.put(MODEL_KEY, model.hash());
            metadata.put(WEIGHTS_KEY, model.weights());
            metadata.put(TOKENS_KEY, Long.toString(session.position));
            metadata.putAll(extra);
            Checksum checksum = new Checksum(metadata);
            tensors.forEach(checksum::add);
            metadata.put(CHECKSUM_KEY, checksum.value());
            List<TensorInfo> infos = tensors.stream()
                    .map(tensor -> new TensorInfo(tensor.name(), tensor.dtype(), tensor.shape()))
                    .toList();
            try (SafetensorsWriter writer = SafetensorsWriter.create(file, metadata, infos, attributes)) {
                for (Tensor tensor : tensors) {
                    writer.write(tensor.name(), tensor.data());
                }
                writer.commit();
            }
        }
    }

    private static List<Tensor> tensors(Session session, DType dtype, Arena arena) {
        MemorySegment state = arena.allocate(session.state.byteSize(), 64);
        session.state.write(state);
        List<Tensor> tensors = new ArrayList<>();
        for (Part part : StateLayout.of(session.model.config()).parts()) {
            MemorySegment values = state.asSlice(part.offset(), part.byteSize());
            boolean rounded = dtype == DType.BF16 && part.isMatrixMemory();
            tensors.add(new Tensor(
                    part.fullName(),
                    rounded ? dtype : DType.F32,
                    part.info().shape(),
                    rounded ? toBf16(values, arena) : values));
        }
        MemorySegment waiting = arena.allocate(4L * session.waitingCount, 4);
        MemorySegment.copy(session.waiting, 0, waiting, INT, 0, session.waitingCount);
        tensors.add(new Tensor(WAITING, DType.I32, new long[] {session.waitingCount}, waiting));
        session.finishLogits();
        if (session.logitsValid) {
            MemorySegment logits = arena.allocate(4L * session.logits.length, 4);
            MemorySegment.copy(session.logits, 0, logits, FLOAT, 0, session.logits.length);
            tensors.add(new Tensor(LOGITS, DType.F32, new long[] {session.logits.length}, logits));
        }
        return tensors;
    }

    private static MemorySegment toBf16(MemorySegment floats, Arena arena) {
        long count = floats.byteSize() / 4;
        MemorySegment rounded = arena.allocate(2 * count, 64);
        for (long i = 0; i < count; i++) {
            int bits = floats.get(INT, 4 * i);
            bits += 0x7FFF + (bits >>> 16 & 1); // to nearest, ties to even
            rounded.set(SHORT, 2 * i, (short) (bits >>> 16));
        }
        return rounded;
    }

    /**
     * What a state file says of itself.
     *
     * @param position number of tokens read
     * @param weights format of the weights of its model
     * @param model hash of its model
     * @param exact false if the matrix memories are rounded to BF16
     */
    public record Description(long position, String weights, String model, boolean exact) {}

    /**
     * Checks a state file and describes it without its model.
     *
     * @return empty if the file is not a state file
     * @throws SafetensorsException if the file is damaged or was altered
     */
    public static Optional<Description> describe(Path path) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Map<String, String> metadata = file.metadata();
            if (!FORMAT.equals(metadata.get(FORMAT_KEY))) {
                return Optional.empty();
            }
            checkIntact(file, metadata);
            boolean exact = file.tensors().values().stream().noneMatch(tensor -> tensor.dtype() == DType.BF16);
            return Optional.of(new Description(
                    Long.parseLong(metadata.getOrDefault(TOKENS_KEY, "0")),
                    metadata.get(WEIGHTS_KEY),
                    metadata.get(MODEL_KEY),
                    exact));
        }
    }

    /**
     * Reads a session.
     *
     * @param model that continues the session
     * @param fingerprint of that model
     * @throws SafetensorsException if the file is damaged, was altered, or belongs to another model
     */
    public static StateFile read(Path path, LoadedModel model, Fingerprint fingerprint) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Map<String, String> metadata = file.metadata();
            check(file, metadata, model.config(), fingerprint);
            Session session = new Session(model);
            try {
                readState(file, session);
                readPosition(file, session);
            } catch (Throwable e) {
                session.close();
                throw e;
            }
            Map<String, String> extra = metadata.entrySet().stream()
                    .filter(entry -> !OWN_KEYS.contains(entry.getKey()))
                    .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
            return new StateFile(session, extra);
        }
    }

    /** Checks what does not depend on the model: format, version and checksum. */
    private static void checkIntact(SafetensorsFile file, Map<String, String> metadata) throws SafetensorsException {
        if (!FORMAT.equals(metadata.get(FORMAT_KEY))) {
            throw new SafetensorsException(file.path(), "is not a state file of xlstm");
        }
        if (!VERSION.equals(metadata.get(VERSION_KEY))) {
            throw new SafetensorsException(
                    file.path(),
                    "is a state file of version " + metadata.get(VERSION_KEY) + "; this program reads version "
                            + VERSION + RECREATE);
        }
        Map<String, String> summed = new LinkedHashMap<>(metadata);
        summed.remove(CHECKSUM_KEY);
        Checksum checksum = new Checksum(summed);
        file.tensors().values().forEach(checksum::add);
        if (!checksum.value().equals(metadata.get(CHECKSUM_KEY))) {
            throw new SafetensorsException(
                    file.path(), "was altered or damaged: its checksum does not match" + RECREATE);
        }
    }

    private static void check(SafetensorsFile file, Map<String, String> metadata, XlstmConfig config, Fingerprint model)
            throws SafetensorsException {
        checkIntact(file, metadata);
        for (Part part : StateLayout.of(config).parts()) {
            if (!file.tensors().containsKey(part.fullName())) {
                throw new SafetensorsException(
                        file.path(),
                        "is the state of another kind of model: it has no '" + part.fullName()
                                + "', which this model needs; use that model" + OR_RECREATE);
            }
        }
        if (!model.weights().equals(metadata.get(WEIGHTS_KEY))) {
            throw new SafetensorsException(
                    file.path(),
                    "is the state of a model with " + metadata.get(WEIGHTS_KEY) + " weights; this one has "
                            + model.weights() + "; use the other" + OR_RECREATE);
        }
        if (!model.hash().equals(metadata.get(MODEL_KEY))) {
            throw new SafetensorsException(file.path(), "is the state of another model; use that model" + OR_RECREATE);
        }
    }

    private static void readState(SafetensorsFile file, Session session) throws SafetensorsException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(session.state.byteSize(), 64);
            for (Part part : StateLayout.of(session.model.config()).parts()) {
                Tensor tensor = tensor(file, part.fullName(), part.info().shape());
                MemorySegment target = state.asSlice(part.offset(), part.byteSize());
                if (tensor.dtype() == DType.BF16 && part.isMatrixMemory()) {
                    for (long i = 0; i < tensor.elementCount(); i++) {
                        target.set(INT, 4 * i, tensor.data().get(SHORT, 2 * i) << 16);
                    }
                } else {
                    expect(file, tensor, DType.F32);
                    target.copyFrom(tensor.data());
                }
                checkFinite(file, part.fullName(), target);
            }
            session.state.read(state);
        }
    }

    /** Reads the number of tokens, the waiting ids and the logits. */
    private static void readPosition(SafetensorsFile file, Session session) throws SafetensorsException {
        Tensor waiting = file.tensors().get(WAITING);
        if (waiting == null || waiting.shape().length != 1) {
            throw new SafetensorsException(file.path(), "lacks the tensor '" + WAITING + "'" + RECREATE);
        }
        expect(file, waiting, DType.I32);
        long tokens = tokens(file);
        if (tokens < waiting.elementCount()) {
            throw new SafetensorsException(file.path(), "counts fewer tokens than wait in it" + RECREATE);
        }
        session.position = tokens - waiting.elementCount();
        int[] ids = waiting.data().toArray(INT);
        try {
            session.feed(ids); // computes some if this backend has shorter chunks
        } catch (IllegalArgumentException e) {
            throw new SafetensorsException(file.path(), "tensor '" + WAITING + "': " + e.getMessage());
        }
        if (file.tensors().containsKey(LOGITS)) {
            Tensor logits = tensor(file, LOGITS, session.logits.length);
            expect(file, logits, DType.F32);
            checkFinite(file, LOGITS, logits.data());
            if (ids.length > 0 || tokens == 0) {
                throw new SafetensorsException(file.path(), "has logits of ids that are not computed" + RECREATE);
            }
            MemorySegment.copy(logits.data(), FLOAT, 0, session.logits, 0, session.logits.length);
            session.logitsValid = true;
        }
    }

    private static long tokens(SafetensorsFile file) throws SafetensorsException {
        try {
            return Long.parseLong(file.metadata().get(TOKENS_KEY));
        } catch (NumberFormatException e) {
            throw new SafetensorsException(file.path(), "metadata '" + TOKENS_KEY + "' is not a number" + RECREATE);
        }
    }

    private static Tensor tensor(SafetensorsFile file, String name, long... shape) throws SafetensorsException {
        Tensor tensor = file.tensors().get(name);
        if (tensor == null || !Arrays.equals(tensor.shape(), shape)) {
            throw new SafetensorsException(
                    file.path(), "lacks a tensor '" + name + "' of shape " + Arrays.toString(shape) + RECREATE);
        }
        return tensor;
    }

    private static void expect(SafetensorsFile file, Tensor tensor, DType dtype) throws SafetensorsException {
        if (tensor.dtype() != dtype) {
            throw new SafetensorsException(
                    file.path(),
                    "tensor '" + tensor.name() + "' is " + tensor.dtype() + " instead of " + dtype + RECREATE);
        }
    }

    private static void checkFinite(SafetensorsFile file, String name, MemorySegment floats)
            throws SafetensorsException {
        for (long at = 0; at < floats.byteSize(); at += 4) {
            if (!Float.isFinite(floats.get(FLOAT, at))) {
                throw new SafetensorsException(
                        file.path(), "tensor '" + name + "' holds a value that is not finite" + RECREATE);
            }
        }
    }

    /** CRC-32C over metadata and tensors in the order of their names. */
    static final class Checksum {
        private static final long PIECE = 1 << 28; // a ByteBuffer holds at most 2 GB

        private final Map<String, String> metadata;
        private final Map<String, Tensor> tensors = new TreeMap<>();
        private final CRC32C crc = new CRC32C();

        Checksum(Map<String, String> metadata) {
            this.metadata = new TreeMap<>(metadata);
        }

        void add(Tensor tensor) {
            tensors.put(tensor.name(), tensor);
        }

        private void data(MemorySegment data) {
            for (long from = 0; from < data.byteSize(); from += PIECE) {
                long count = Math.min(PIECE, data.byteSize() - from);
                crc.update(data.asSlice(from, count).asByteBuffer());
            }
        }

        private void text(String text) {
            crc.update(text.getBytes(StandardCharsets.UTF_8));
            crc.update(0);
        }

        /** Eight hexadecimal digits. */
        String value() {
            crc.reset();
            metadata.forEach((key, value) -> {
                text(key);
                text(value);
            });
            for (Tensor tensor : tensors.values()) {
                text(tensor.toString()); // name, type and shape
                data(tensor.data());
            }
            return "crc32c:" + HexFormat.of().toHexDigits((int) crc.getValue());
        }
    }
}
