package dev.xlstm.cli;

import dev.xlstm.backend.LoadProgress;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.ProgressBar;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.ModelOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class StreamsTest {

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Streams streams(String... terminals) {
        return new Streams(
                new ByteArrayInputStream(new byte[0]),
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                List.of(terminals));
    }

    @Test
    void messagesSendNoControlCharactersAndAreShort() {
        streams().message("\u001b]0;title\u0007 a\u009b2Jb\rc\u0000 é\uD83D\uDE00");
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("^[]0;title^G aM-^[2Jb^Mc^@ é\uD83D\uDE00\n");
        err.reset();
        streams().message("model.json: " + "x".repeat(1 << 20) + "; fetch it again");
        assertThat(err.toString(StandardCharsets.UTF_8))
                .hasSizeLessThan(2100)
                .startsWith("model.json: xxx")
                .contains("x ... x")
                .endsWith("; fetch it again\n");
    }

    @Test
    void whatTurnsTheDirectionOfOtherTextIsShown() {
        assertThat(Streams.visible("a\u202Egnp.exe\u2069")).isEqualTo("a<U+202E>gnp.exe<U+2069>");
        assertThat(Streams.visible("\u05d0\u200f \u0627"))
                .isEqualTo("\u05d0\u200f \u0627"); // marks of right-to-left text
    }

    @Test
    void loadingIsShownOnATerminalOnly() {
        for (String terminal : List.of("out", "err")) {
            err.reset();
            try (ProgressBar bar = new ProgressBar(streams(terminal), "loading")) {
                LoadProgress progress = ModelOptions.loadProgress(bar);
                progress.prepared(3L << 30, 6L << 30);
                progress.prepared(6L << 30, 6L << 30);
            }
            String shown = err.toString(StandardCharsets.UTF_8);
            if (terminal.equals("out")) {
                assertThat(shown).isEmpty();
            } else {
                assertThat(shown)
                        .contains("loading [###############---------------]  50 %, 3.00 GiB of 6.00 GiB")
                        .contains("100 %, 6.00 GiB; preparing the device")
                        .endsWith("\r\u001b[K");
            }
        }
    }

    @Test
    void errorsOfAnyKindAreOneLine() throws IOException {
        Interruption none = new Interruption();
        for (String name : List.of("no\u001b[31msuch", "a\nb", "\u009b2J")) {
            err.reset();
            assertThat(new Cli(streams("err", "out"), none, Map.of()).run("inspect", "--model", name))
                    .isEqualTo(ExitCode.FAILURE);
            assertThat(new Cli(streams("err", "out"), none, Map.of()).run("inspect", "--" + name))
                    .isEqualTo(ExitCode.USAGE);
            String shown = err.toString(StandardCharsets.UTF_8);
            assertThat(shown.chars().filter(c -> c != '\n')).noneMatch(Character::isISOControl);
            assertThat(shown.lines()).hasSize(3); // of the second, one says where help is
        }
        assertThat(out.size()).isZero();
    }
}
