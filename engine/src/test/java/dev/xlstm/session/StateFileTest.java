package dev.xlstm.session;

import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.model.Fingerprint;
import dev.xlstm.model.ModelDirectory;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** State files of a model of each architecture. */
@ParameterizedClass
@ValueSource(strings = {"tiny-long", "blocks-step-long"})
class StateFileTest {

    @Parameter
    String fixture;

    @TempDir
    Path directory;

    private GoldenFixture golden;
    private ModelDirectory files;
    private LoadedModel model;
    private Fingerprint fingerprint;
    private int[] ids;
    private Path file;

    @BeforeEach
    void load() throws Exception {
        golden = new GoldenFixture(fixture);
        files = ModelDirectory.open(golden.directory);
        model = new CpuBackend().load(files.weights(), 2);
        fingerprint = Fingerprint.of(files.weights());
        ids = golden.ids("prompt_ids");
        file = directory.resolve("a.state");
    }

    @AfterEach
    void close() {
        model.close();
        files.close();
        golden.close();
    }

    private void write(Session session) throws IOException {
        StateFile.write(file, session, fingerprint, DType.F32, Map.of());
    }

    private Session read() throws IOException {
        return StateFile.read(file, model, fingerprint).session();
    }

    /** A session saved and resumed at random places continues bit for bit, in the prompt and while decoding. */
    @Test
    void whatIsReadGoesOnAsIfItHadNeverStopped() throws Exception {
        Random random = new Random(4);
        for (int round = 0; round < 12; round++) {
            int cut = round == 0 ? 0 : round == 1 ? 256 : random.nextInt(ids.length);
            int steps = random.nextInt(4);
            try (Session whole = new Session(model);
                    Session before = new Session(model)) {
                whole.feed(ids);
                before.feed(ids, 0, cut);
                write(before);
                try (Session after = read()) {
                    assertThat(after.position()).isEqualTo(cut);
                    after.feed(ids, cut, ids.length);
                    for (int step = 0; step < steps; step++) {
                        assertThat(after.logits()).isEqualTo(whole.logits());
                        whole.feed(step);
                        after.feed(step);
                    }
                    write(after);
                }
                try (Session again = read()) {
                    assertThat(again.logits()).isEqualTo(whole.logits());
                }
            }
        }
    }

    @Test
    void logitsAlreadyComputedComeBack() throws Exception {
        try (Session session = new Session(model)) {
            session.feed(ids, 0, 300);
            float[] logits = session.logits().clone();
            write(session);
            session.feed(5);
            try (Session copy = read()) {
                assertThat(copy.logits()).isEqualTo(logits);
                copy.feed(5);
                assertThat(copy.logits()).isEqualTo(session.logits());
            }
        }
    }

    @Test
    void whatTheCallerAddsComesBackAndNothingElse() throws Exception {
        Map<String, String> extra = Map.of("title", "Ein „Titel\"\n", "empty", "");
        try (Session session = new Session(model)) {
            StateFile.write(file, session, fingerprint, DType.F32, extra);
            StateFile read = StateFile.read(file, model, fingerprint);
            assertThat(read.extra()).isEqualTo(extra);
            assertThat(read.session().position()).isZero();
            read.session().close();
            assertThatThrownBy(() -> StateFile.write(file, session, fingerprint, DType.F32, Map.of("model", "mine")))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void bf16RoundsTheMatrixMemoryAloneAndStaysNear() throws Exception {
        try (Session session = new Session(model)) {
            session.feed(ids, 0, 500);
            StateFile.write(file, session, fingerprint, DType.BF16, Map.of());
            try (SafetensorsFile small = SafetensorsFile.open(file)) {
                assertThat(small.tensors().get("layers.0.c").dtype()).isEqualTo(DType.BF16);
                assertThat(small.tensors().get("layers.0.n").dtype()).isEqualTo(DType.F32);
            }
            try (Session rounded = read()) {
                float[] expected = session.logits().clone();
                float[] logits = rounded.logits();
                double worst = 0;
                for (int i = 0; i < logits.length; i++) {
                    worst = Math.max(worst, Math.abs(logits[i] - expected[i]));
                }
                assertThat(worst).isBetween(1e-7, 0.2);
            }
        }
    }

    /** The names and shapes are the file format that other programs read. */
    @Test
    void tensorsAreThoseOfTheModelLayerByLayer() throws Exception {
        try (Session session = new Session(model)) {
            session.feed(ids, 0, 300);
            write(session);
        }
        Map<String, long[]> expected = new LinkedHashMap<>();
        if (fixture.equals("tiny-long")) {
            for (int layer = 0; layer < 2; layer++) {
                expected.put("layers." + layer + ".c", new long[] {4, 8, 16});
                expected.put("layers." + layer + ".n", new long[] {4, 8});
                expected.put("layers." + layer + ".m", new long[] {4});
            }
        } else {
            for (int layer : new int[] {0, 2}) {
                expected.put("layers." + layer + ".c", new long[] {4, 32, 32});
                expected.put("layers." + layer + ".n", new long[] {4, 32});
                expected.put("layers." + layer + ".m", new long[] {4});
                expected.put("layers." + layer + ".conv", new long[] {3, 128});
            }
            for (String part : new String[] {"y", "c", "n", "m"}) {
                expected.put("layers.1." + part, new long[] {64});
            }
            expected.put("layers.1.conv", new long[] {3, 64});
        }
        expected.put("waiting", new long[] {44});
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertThat(read.tensors()).containsOnlyKeys(expected.keySet());
            expected.forEach((name, shape) ->
                    assertThat(read.tensors().get(name).shape()).as(name).isEqualTo(shape));
            assertThat(read.tensors().get("waiting").data().toArray(ValueLayout.JAVA_INT_UNALIGNED))
                    .containsExactly(Arrays.copyOfRange(ids, 256, 300));
            assertThat(read.metadata()).containsEntry("format", "xlstm-state").containsEntry("tokens", "300");
        }
    }

    @Test
    void anotherModelAndOtherWeightsAreRefused() throws Exception {
        try (Session session = new Session(model)) {
            write(session);
        }
        assertRefused(new Fingerprint("0".repeat(64), fingerprint.weights()), "is the state of another model");
        assertRefused(new Fingerprint("0".repeat(64), "q8_0"), "with f32 weights; this one has q8_0");
    }

    @Test
    void theOtherArchitectureIsRefused() throws Exception {
        try (Session session = new Session(model)) {
            write(session);
        }
        String other = fixture.equals("tiny-long") ? "blocks-step-long" : "tiny-long";
        try (GoldenFixture otherGolden = new GoldenFixture(other);
                ModelDirectory otherFiles = ModelDirectory.open(otherGolden.directory);
                LoadedModel otherModel = new CpuBackend().load(otherFiles.weights(), 1)) {
            Fingerprint otherPrint = Fingerprint.of(otherFiles.weights());
            if (other.equals("tiny-long")) {
                // a superset of the parts of an xLSTM large
                assertThatThrownBy(() -> StateFile.read(file, otherModel, otherPrint))
                        .hasMessageContaining("is the state of another model");
            } else {
                assertThatThrownBy(() -> StateFile.read(file, otherModel, otherPrint))
                        .hasMessageContaining("another kind of model: it has no 'layers.0.conv'");
            }
        }
    }

    private void assertRefused(Fingerprint other, String reason) {
        assertThatThrownBy(() -> StateFile.read(file, model, other))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(reason);
    }

    /** Detects a change of any byte, in the header or in the data, and of the length. */
    @Test
    void damageIsRefusedWhereverItIs() throws Exception {
        try (Session session = new Session(model)) {
            session.feed(ids, 0, 300);
            session.logits();
            write(session);
        }
        byte[] good = Files.readAllBytes(file);
        Random random = new Random(7);
        for (int round = 0; round < 120; round++) {
            byte[] bad = good.clone();
            // half of them in the header
            int at = random.nextInt(round % 2 == 0 ? 1500 : good.length);
            bad[at] ^= (byte) (1 << random.nextInt(8));
            assertDamaged(bad, "bit " + at);
        }
        for (int round = 0; round < 30; round++) {
            int length = random.nextInt(good.length);
            assertDamaged(Arrays.copyOf(good, length), "cut to " + length);
        }
        Files.write(file, good);
        read().close();
    }

    private void assertDamaged(byte[] content, String what) throws IOException {
        Files.write(file, content);
        assertThatThrownBy(this::read)
                .as(what)
                .isInstanceOf(SafetensorsException.class)
                .hasMessageStartingWith(file.toString());
    }

    @Test
    void otherFilesAreRefused() throws Exception {
        Path other = golden.directory.resolve("model.safetensors");
        assertThatThrownBy(() -> StateFile.read(other, model, fingerprint))
                .hasMessageContaining("is not a state file of xlstm");
        assertThatThrownBy(() -> StateFile.read(directory.resolve("none"), model, fingerprint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none");
    }

    /** Files with a valid checksum and invalid content. */
    @Test
    void forgedContentIsRefused() throws Exception {
        try (Session session = new Session(model)) {
            session.feed(ids, 0, 300);
            write(session);
        }
        byte[] nan = new byte[4];
        nan[2] = (byte) 0xC0;
        nan[3] = 0x7F;
        assertForged("layers.1.m", nan, "holds a value that is not finite");
        byte[] infinity = {0, 0, (byte) 0x80, (byte) 0xFF};
        assertForged("layers.0.c", infinity, "holds a value that is not finite");
        assertForged("waiting", new byte[] {-1, -1, -1, -1}, "outside the model's vocabulary");
    }

    /** Overwrites the first element of a tensor and updates the checksum. */
    private void assertForged(String name, byte[] first, String reason) throws IOException {
        Path forged = directory.resolve("forged.state");
        try (SafetensorsFile good = SafetensorsFile.open(file);
                Arena arena = Arena.ofConfined()) {
            Map<String, String> metadata = new HashMap<>(good.metadata());
            metadata.remove("checksum");
            StateFile.Checksum checksum = new StateFile.Checksum(metadata);
            Map<String, Tensor> tensors = new HashMap<>();
            for (Tensor tensor : good.tensors().values()) {
                MemorySegment data = arena.allocate(tensor.data().byteSize());
                data.copyFrom(tensor.data());
                if (tensor.name().equals(name)) {
                    MemorySegment.copy(first, 0, data, ValueLayout.JAVA_BYTE, 0, first.length);
                }
                Tensor changed = new Tensor(tensor.name(), tensor.dtype(), tensor.shape(), data);
                tensors.put(tensor.name(), changed);
                checksum.add(changed);
            }
            metadata.put("checksum", checksum.value());
            List<TensorInfo> infos = tensors.values().stream()
                    .map(t -> new TensorInfo(t.name(), t.dtype(), t.shape()))
                    .toList();
            try (SafetensorsWriter writer = SafetensorsWriter.create(forged, metadata, infos)) {
                for (Tensor tensor : tensors.values()) {
                    writer.write(tensor.name(), tensor.data());
                }
                writer.commit();
            }
        }
        assertThatThrownBy(() -> StateFile.read(forged, model, fingerprint))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("'" + name + "'")
                .hasMessageContaining(reason);
    }

    /** A failed write keeps the previous file. */
    @Test
    void aFailedWriteLeavesTheOldFileAndNothingElse() throws Exception {
        Files.writeString(file, "before", StandardCharsets.UTF_8);
        try (Session session = new Session(model)) {
            assertThatThrownBy(() -> StateFile.write(file, session, fingerprint, DType.F16, Map.of()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(file).hasContent("before");
            write(session);
        }
        try (Stream<Path> all = Files.list(directory)) {
            assertThat(all).containsExactly(file);
        }
    }

    @Test
    void fingerprintsTellModelsApartAndKnowTheSameOneAgain() throws Exception {
        assertThat(fingerprint.hash()).matches("[0-9a-f]{64}");
        assertThat(fingerprint.weights()).isEqualTo("f32");
        try (ModelDirectory again = ModelDirectory.open(golden.directory);
                ModelDirectory other = ModelDirectory.open(
                        golden.directory.resolveSibling(fixture.equals("tiny-long") ? "tiny-tied" : "blocks-tied"))) {
            assertThat(Fingerprint.of(again.weights())).isEqualTo(fingerprint);
            assertThat(Fingerprint.of(other.weights()).hash()).isNotEqualTo(fingerprint.hash());
        }
    }
}
