package dev.xlstm.model;

import dev.xlstm.hub.CachedModels;
import dev.xlstm.hub.Hub;
import dev.xlstm.hub.HubName;
import dev.xlstm.hub.HubServer;
import dev.xlstm.hub.RemoteFile;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ModelPullTest {

    private static final Path FIXTURES = Path.of("../test-data/fixtures");

    @TempDir
    private Path home;

    private HubServer server;
    private ModelPull.Plan plan;

    @BeforeEach
    void serve() throws IOException {
        server = new HubServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Map<String, String> environment() {
        return Map.of(
                "HF_ENDPOINT",
                server.endpoint(),
                "HF_HUB_CACHE",
                home.resolve("hub").toString(),
                "XDG_DATA_HOME",
                home.toString());
    }

    private Path pull(String subdirectory, boolean accept) throws Exception {
        return pull(subdirectory, null, accept, Long.MAX_VALUE);
    }

    /** @param limit bytes after which the pull is cancelled */
    private Path pull(String subdirectory, WeightFormat format, boolean accept, long limit) throws Exception {
        AtomicLong arrived = new AtomicLong();
        ModelPull.Listener listener = new ModelPull.Listener() {
            @Override
            public boolean accept(ModelPull.Plan proposed) {
                plan = proposed;
                return accept;
            }

            @Override
            public void waiting() {}

            @Override
            public void transferred(RemoteFile file, long bytes) {
                arrived.addAndGet(bytes);
            }

            @Override
            public boolean cancelled() {
                return arrived.get() > limit;
            }
        };
        try (Hub hub = new Hub(environment())) {
            HubName name = new HubName("org/model", "main", subdirectory);
            return ModelPull.pull(hub, name, ConvertedModels.of(environment()), format, listener);
        }
    }

    private List<String> weightsAskedFor() {
        return server.requests.stream()
                .filter(request -> request.startsWith("GET /model"))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-f32", "tiny-bf16-sharded", "tiny-nxai"})
    void aModelIsFetchedWholeAndOpens(String fixture) throws Exception {
        server.putAll(FIXTURES.resolve(fixture), "");
        server.put("README.md", new byte[100]).put("pytorch_model.bin", new byte[100]);
        Path model = pull("", true);
        try (ModelDirectory pulled = ModelDirectory.open(model);
                ModelDirectory original = ModelDirectory.open(FIXTURES.resolve(fixture))) {
            assertThat(Fingerprint.of(pulled.weights())).isEqualTo(Fingerprint.of(original.weights()));
            assertThat(plan.weightBytes()).isEqualTo(original.checkpoint().byteSize());
        }
        assertThat(model.resolve("README.md")).doesNotExist();
        assertThat(model.resolve("pytorch_model.bin")).doesNotExist();
        assertThat(plan.presentBytes()).isZero();
        pull("", true);
        assertThat(plan.fetchBytes()).isZero();
    }

    @Test
    void aModelInADirectoryOfItsRepositoryIsFetchedAlone() throws Exception {
        server.putAll(FIXTURES.resolve("tiny-f32"), "run/a/").putAll(FIXTURES.resolve("tiny-f16"), "run/b/");
        Path model = pull("run/b", true);
        assertThat(model.toString()).endsWith("run/b");
        assertThat(model.resolve("model.safetensors")).exists();
        assertThat(model.resolveSibling("a")).doesNotExist();
        assertThatThrownBy(() -> pull("", true))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("holds 2 models in directories; name one, such as org/model/run/a");
    }

    @Test
    void aModelThatCannotBeRunIsRefusedBeforeItsWeightsAreFetched() throws Exception {
        server.putAll(FIXTURES.resolve("tiny-f32"), "");
        server.put("config.json", "{\"model_type\": \"llama\", \"hidden_size\": 64}".getBytes());
        assertThatThrownBy(() -> pull("", true)).isInstanceOf(IOException.class);
        assertThat(weightsAskedFor()).isEmpty();
    }

    @Test
    void weightsThatDoNotFitTheConfigAreRefusedByTheirHeaders() throws Exception {
        server.putAll(FIXTURES.resolve("tiny-f32"), "");
        String config = Files.readString(FIXTURES.resolve("tiny-f32/config.json"));
        assertThat(config).contains("\"num_blocks\"");
        server.put(
                "config.json",
                config.replaceAll("\"num_(blocks|hidden_layers)\": \\d+", "\"num_$1\": 9")
                        .getBytes());
        assertThatThrownBy(() -> pull("", true))
                .isInstanceOf(ModelException.class)
                .hasMessageStartingWith("org/model");
        assertThat(weightsAskedFor()).hasSizeLessThanOrEqualTo(1); // the header
    }

    @Test
    void filesThatCarryCodeAreNamedAndNotFetched() throws Exception {
        server.put("config.json", Files.readAllBytes(FIXTURES.resolve("tiny-f32/config.json")));
        server.put("pytorch_model.bin", new byte[100]);
        assertThatThrownBy(() -> pull("", true))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("pytorch_model.bin")
                .hasMessageContaining("convert");
    }

    @Test
    void whatIsNotAcceptedIsNotFetched() throws Exception {
        server.putAll(FIXTURES.resolve("tiny-f32"), "");
        assertThatThrownBy(() -> pull("", false)).isInstanceOf(CancellationException.class);
        assertThat(home.resolve("hub/models--org--model/refs")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"tiny-f32, q8_0", "tiny-f32, q4_0", "tiny-bf16-sharded, q4_0", "tiny-nxai, bf16", "tiny-f32, bf16"})
    void convertedWhileFetchedIsFetchedThenConverted(String fixture, String format) throws Exception {
        server.putAll(FIXTURES.resolve(fixture), "");
        Path converted = pull("", WeightFormat.of(format), true, Long.MAX_VALUE);
        Path expected = home.resolve("expected");
        try (ModelDirectory original = ModelDirectory.open(FIXTURES.resolve(fixture))) {
            CheckpointQuantizer.quantize(original, expected, WeightFormat.of(format), (done, total) -> {});
        }
        String weights = "model.safetensors";
        assertThat(Files.mismatch(converted.resolve(weights), expected.resolve(weights)))
                .isEqualTo(-1);
        assertThat(plan.storeBytes()).isLessThanOrEqualTo(Files.size(converted.resolve(weights)));
        assertThat(ModelDirectory.resolve("org/model:" + format, environment())).isEqualTo(converted);
        try (var cached = Files.walk(home.resolve("hub"))) {
            assertThat(cached.filter(path -> path.toString().endsWith(".safetensors")))
                    .isEmpty();
        }
        ConvertedModels.Converted listed =
                ConvertedModels.of(environment()).list().getFirst();
        assertThat(listed.name()).isEqualTo("org/model:" + format);
        assertThat(listed.verify(bytes -> {})).isTrue();
        listed.delete();
        assertThat(ConvertedModels.of(environment()).list()).isEmpty();
    }

    @Test
    void aConversionThatIsCutShortGoesOnBehindTheLastTensor() throws Exception {
        server.putAll(FIXTURES.resolve("tiny-f32"), "");
        long size = Files.size(FIXTURES.resolve("tiny-f32/model.safetensors"));
        int cuts = 0;
        for (long limit = size / 4; limit < size; limit += size / 4) {
            long most = limit;
            assertThatThrownBy(() -> pull("", WeightFormat.Q8_0, true, most)).isInstanceOf(CancellationException.class);
            cuts++;
        }
        assertThat(cuts).isGreaterThanOrEqualTo(3);
        server.requests.clear();
        Path converted = pull("", WeightFormat.Q8_0, true, Long.MAX_VALUE);
        Path expected = home.resolve("expected");
        try (ModelDirectory original = ModelDirectory.open(FIXTURES.resolve("tiny-f32"))) {
            CheckpointQuantizer.quantize(original, expected, WeightFormat.Q8_0, (done, total) -> {});
        }
        String weights = "model.safetensors";
        assertThat(Files.mismatch(converted.resolve(weights), expected.resolve(weights)))
                .isEqualTo(-1);
    }

    @Test
    void aConversionOfWrongContentIsRefused() throws Exception {
        server.putAll(FIXTURES.resolve("tiny-f32"), "");
        server.corruptFrom = 2; // the header comes first
        assertThatThrownBy(() -> pull("", WeightFormat.Q8_0, true, Long.MAX_VALUE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("does not match its name");
        server.corruptFrom = Integer.MAX_VALUE;
        assertThat(pull("", WeightFormat.Q8_0, true, Long.MAX_VALUE)).exists();
    }

    @Test
    void theCacheIsListedVerifiedAndCleared() throws Exception {
        server.putAll(FIXTURES.resolve("tiny-f32"), "");
        Path model = pull("", true);
        CachedModels.Snapshot snapshot = CachedModels.of(environment()).list().getFirst();
        assertThat(snapshot.id()).isEqualTo("org/model");
        assertThat(snapshot.refs()).containsExactly("main");
        assertThat(CachedModels.verify(snapshot, bytes -> {})).isEmpty();

        Path blob = model.resolve("model.safetensors").toRealPath();
        byte[] content = Files.readAllBytes(blob);
        content[content.length - 1] ^= 1;
        Files.write(blob, content);
        assertThat(CachedModels.verify(snapshot, bytes -> {}))
                .extracting(CachedModels.Problem::path)
                .containsExactly("model.safetensors");

        CachedModels.Removal removal = CachedModels.removal(snapshot);
        assertThat(removal.bytes()).isEqualTo(CachedModels.bytes(snapshot));
        removal.run();
        assertThat(home.resolve("hub/models--org--model")).doesNotExist();
    }
}
