package dev.xlstm.tornado;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** The launcher where TornadoVM is, in a process of its own. */
class GpuLauncherIT {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    private Path directory;

    private record Run(int code, String out, String err) {}

    @BeforeEach
    void needsWhatIsBuiltBefore() {
        assumeTrue(System.getenv("TORNADOVM_HOME") != null, "TORNADOVM_HOME is not set");
        assumeTrue(Files.exists(ROOT.resolve("cli/target/xlstm.jar")), "xlstm.jar is not built");
    }

    private Run xlstm(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(ROOT.resolve("scripts/xlstm").toString()));
        command.addAll(List.of(arguments));
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("XLSTM_"));
        builder.environment().put("XDG_CONFIG_HOME", "/none");
        Process process = builder.start();
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("%s", command).isTrue();
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Test
    void devicesAreListedWithTheirMemory() throws Exception {
        Run run = xlstm("devices");
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .containsPattern("(?m)^[* ] gpu  .+, [0-9.]+ [MG]iB")
                .containsPattern("(?m)^[* ] cpu  ");
        assertThat(run.out().lines().filter(line -> line.startsWith("*"))).hasSize(1);
        assertThat(run.err()).isEmpty();
    }

    @Test
    void theGpuWritesWhatTheCpuWrites() throws Exception {
        String[] request = {"generate", "-t", "0", "-n", "12", "--stats", "--backend", "", "Once upon a time"};
        request[7] = "gpu";
        Run gpu = xlstm(request);
        request[7] = "cpu";
        Run cpu = xlstm(request);
        assertThat(gpu.code()).as(gpu.err()).isZero();
        assertThat(gpu.out()).isEqualTo(cpu.out()).isNotBlank();
        assertThat(gpu.err()).contains("gpu, ");
        assertThat(cpu.err()).doesNotContain("gpu");
    }
}
