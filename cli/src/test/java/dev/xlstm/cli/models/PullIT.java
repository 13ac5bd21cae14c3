package dev.xlstm.cli.models;

import dev.xlstm.hub.HubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** {@code xlstm pull} in processes of its own, killed and side by side. */
class PullIT {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path DEMO = ROOT.resolve("test-data/demo-model");
    private static final int KILLS = Integer.getInteger("xlstm.test.kills", 5);

    @TempDir
    private Path directory;

    private HubServer server;

    @BeforeEach
    void serve() throws IOException {
        server = new HubServer().putAll(DEMO, "");
        server.bytesPerSecond = 1_500_000; // a connection
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Process pull(Path cache) throws IOException {
        return xlstm(cache, "pull", "-q", "org/model");
    }

    private Process xlstm(Path cache, String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(args));
        command.addFirst(ROOT.resolve("scripts/xlstm").toString());
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(directory.resolve("out").toFile())
                .redirectError(directory.resolve("err").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("XLSTM_") || name.startsWith("HF_"));
        builder.environment().put("HF_ENDPOINT", server.endpoint());
        builder.environment().put("HF_HUB_CACHE", cache.toString());
        builder.environment().put("XDG_DATA_HOME", cache.toString());
        builder.environment().put("XDG_CONFIG_HOME", "/none");
        return builder.start();
    }

    private void assertIsThere(Path cache) throws IOException {
        Path model = cache.resolve("models--org--model/snapshots");
        try (var snapshots = Files.list(model)) {
            Path snapshot = snapshots.toList().getFirst();
            assertThat(Files.mismatch(snapshot.resolve("model.safetensors"), DEMO.resolve("model.safetensors")))
                    .isEqualTo(-1);
        }
        try (var blobs = Files.list(cache.resolve("models--org--model/blobs"))) {
            assertThat(blobs.map(path -> path.getFileName().toString()).toList())
                    .noneMatch(name -> name.contains("xlstm"));
        }
    }

    @Test
    void aPullThatIsKilledGoesOn() throws Exception {
        Random random = new Random(7);
        for (int i = 0; i < KILLS; i++) {
            Path cache = directory.resolve("cache" + i);
            Process first = pull(cache);
            if (!first.waitFor(500 + random.nextInt(1500), TimeUnit.MILLISECONDS)) {
                first.descendants().forEach(ProcessHandle::destroyForcibly);
                first.destroyForcibly().waitFor();
                assertThat(cache.resolve("models--org--model/refs/main")).doesNotExist();
            }
            Process second = pull(cache);
            assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(second.exitValue())
                    .as(Files.readString(directory.resolve("err")))
                    .isZero();
            assertIsThere(cache);
        }
    }

    @Test
    void aConversionThatIsKilledGoesOnAndItsModelIsNamedByItsFormat() throws Exception {
        Path cache = directory.resolve("cache");
        server.bytesPerSecond = 3_000_000;
        String[] pull = {"pull", "-q", "org/model", "--format", "q8_0"};
        Process first = xlstm(cache, pull);
        if (!first.waitFor(2500, TimeUnit.MILLISECONDS)) {
            first.descendants().forEach(ProcessHandle::destroyForcibly);
            first.destroyForcibly().waitFor();
        }
        Process second = xlstm(cache, pull);
        assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(directory.resolve("err"))).isEmpty();
        assertThat(second.exitValue()).isZero();

        Process local = xlstm(
                cache,
                "quantize",
                "-q",
                DEMO.toString(),
                directory.resolve("local").toString(),
                "--format",
                "q8_0");
        assertThat(local.waitFor(60, TimeUnit.SECONDS)).isTrue();
        Path converted = cache.resolve("xlstm/models/org--model--q8_0/model.safetensors");
        assertThat(Files.mismatch(converted, directory.resolve("local/model.safetensors")))
                .isEqualTo(-1);

        Process generate = xlstm(cache, "generate", "-m", "org/model:q8_0", "-q", "-n", "5", "Once upon a time");
        assertThat(generate.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(generate.exitValue()).isZero();
        assertThat(Files.readString(directory.resolve("out"))).isNotBlank();

        Process missing = xlstm(cache, "inspect", "-m", "org/model:q4_0");
        assertThat(missing.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(missing.exitValue()).isEqualTo(1);
        assertThat(Files.readString(directory.resolve("err"))).contains("xlstm pull org/model --format q4_0");
    }

    @Test
    void twoPullsOfOneModelDoNotFight() throws Exception {
        Path cache = directory.resolve("cache");
        List<Process> both = Arrays.asList(pull(cache), pull(cache));
        for (Process process : both) {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue())
                    .as(Files.readString(directory.resolve("err")))
                    .isZero();
        }
        assertIsThere(cache);
        long weights = server.requests.stream()
                .filter(request -> request.startsWith("GET /model.safetensors"))
                .count();
        assertThat(weights).isLessThanOrEqualTo(6); // two headers, and one transfer in up to four ranges
    }
}
