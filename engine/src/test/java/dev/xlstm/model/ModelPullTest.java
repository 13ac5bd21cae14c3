package dev.xlstm.model;

import dev.xlstm.hub.CachedModels;
import dev.xlstm.hub.Hub;
import dev.xlstm.hub.HubServer;
import dev.xlstm.hub.RemoteFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
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
                home.resolve("hub").toString());
    }

    private Path pull(String subdirectory, boolean accept) throws Exception {
        ModelPull.Listener listener = new ModelPull.Listener() {
            @Override
            public boolean accept(ModelPull.Plan proposed) {
                plan = proposed;
                return accept;
            }

            @Override
            public void waiting() {}

            @Override
            public void transferred(RemoteFile file, long bytes) {}

            @Override
            public boolean cancelled() {
                return false;
            }
        };
        try (Hub hub = new Hub(environment())) {
            return ModelPull.pull(hub, "org/model", "main", subdirectory, listener);
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
