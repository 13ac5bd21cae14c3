package dev.xlstm.cli.models;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.hub.HubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** {@code pull} and {@code models}, against a hub of the test's own. */
class ModelsCommandTest {

    @TempDir
    private Path cache;

    private HubServer server;

    @BeforeEach
    void serve() throws IOException {
        server = new HubServer().putAll(CliRun.FIXTURES.resolve("tiny-f32"), "");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private CliRun xlstm(String... args) {
        Map<String, String> environment =
                Map.of("HF_ENDPOINT", server.endpoint(), "HF_HUB_CACHE", cache.toString(), "HOME", cache.toString());
        return CliRun.with("", List.of(), environment, args);
    }

    @Test
    void aModelIsPulledListedVerifiedAndRemoved() throws Exception {
        assertThat(xlstm("models").out()).isEmpty();
        CliRun pull = xlstm("pull", "org/model");
        assertThat(pull.code()).isZero();
        assertThat(pull.out()).isEmpty();
        assertThat(pull.err())
                .contains("org/model: 1 file of weights")
                .contains("model.safetensors: ")
                .contains("of memory to run");

        CliRun list = xlstm("models");
        assertThat(list.code()).isZero();
        assertThat(list.out().lines()).hasSize(2);
        assertThat(list.out()).containsPattern("org/model +main +f32 +");

        CliRun verified = xlstm("models", "verify", "org/model");
        assertThat(verified.code()).isZero();
        assertThat(verified.out()).contains("all right");

        CliRun removed = xlstm("models", "rm", "org/model");
        assertThat(removed.code()).isZero();
        assertThat(removed.out()).startsWith("removed org/model@");
        assertThat(cache.resolve("models--org--model")).doesNotExist();
        CliRun gone = xlstm("models", "rm", "org/model");
        assertThat(gone.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(gone.err()).contains("not in the Hugging Face cache");
    }

    @Test
    void aModelIsConvertedWhileItArrives() throws Exception {
        CliRun pull = xlstm("pull", "org/model", "--format", "q8_0");
        assertThat(pull.code()).isZero();
        assertThat(pull.out()).isEmpty();
        assertThat(pull.err()).contains("on disk");
        assertThat(xlstm("models").out()).containsPattern("org/model:q8_0 +0123456789ab +q8_0 +");
        assertThat(xlstm("models", "verify", "org/model:q8_0").out()).contains("all right");
        assertThat(xlstm("models", "rm", "org/model:q8_0").out()).startsWith("removed org/model:q8_0, ");
        assertThat(xlstm("models").out()).isEmpty();
    }

    @Test
    void aDamagedFileIsNamed() throws Exception {
        xlstm("pull", "-q", "org/model");
        try (var blobs = Files.list(cache.resolve("models--org--model/blobs"))) {
            for (Path blob :
                    blobs.filter(path -> path.toFile().length() > 100_000).toList()) {
                byte[] content = Files.readAllBytes(blob);
                content[content.length / 2] ^= 1;
                Files.write(blob, content);
            }
        }
        CliRun verified = xlstm("models", "verify", "org/model");
        assertThat(verified.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(verified.out()).isEmpty();
        assertThat(verified.err()).contains("org/model/model.safetensors has other content");
    }

    @Test
    void quietSaysNothing() {
        assertThat(xlstm("pull", "-q", "org/model")).isEqualTo(new CliRun(0, "", ""));
    }

    @Test
    void badNamesAreUsageErrors() {
        for (String name : List.of("model", "../evil", "org/model@", "org/../x", "http://host/x")) {
            CliRun run = xlstm("pull", name);
            assertThat(run.code()).as(name).isEqualTo(ExitCode.USAGE);
            assertThat(run.err()).contains("ORG/NAME");
        }
        assertThat(server.requests).isEmpty();
    }

    @Test
    void aGatedModelIsOneLine() {
        server.gated = true;
        CliRun run = xlstm("pull", "org/model");
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err().lines())
                .singleElement()
                .asString()
                .contains("gated")
                .contains("HF_TOKEN");
    }
}
