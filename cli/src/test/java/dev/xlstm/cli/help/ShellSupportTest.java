package dev.xlstm.cli.help;

import dev.xlstm.cli.GeneratedFiles;
import dev.xlstm.cli.PseudoTerminal;
import dev.xlstm.cli.options.CommandNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.OptionSpec;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;

/** Completions and manual pages, in the programs that they are for. */
class ShellSupportTest {

    @TempDir
    Path directory;

    /** stdout of a command that must succeed, run in the directory of the test; stderr must stay empty. */
    private String run(String... command) throws IOException, InterruptedException {
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        process.getOutputStream().close();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(err)).as("%s", List.of(command)).isEmpty();
        assertThat(process.exitValue()).isZero();
        return Files.readString(out);
    }

    private static boolean has(String program) {
        for (String place : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(place, program))) {
                return true;
            }
        }
        return false;
    }

    /** What a bash proposes after what is typed; the last word is being completed. Without what shows it on a terminal. */
    private List<String> bash(String typed) throws Exception {
        Path script = directory.resolve("completion");
        Files.writeString(script, xlstm("completion", "bash").out());
        String all = "source completion; compopt() { :; }; COMP_WORDS=(" + typed
                + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));" + " _complete_xlstm; printf '%s\\n' \"${COMPREPLY[@]}\"";
        return run("bash", "-c", all).lines().map(String::strip).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "xlstm '', generate",
        "xlstm gen, generate",
        "xlstm generate --temp, --temperature",
        "xlstm chat --sy, --system",
        "xlstm generate --state-dtype b, bf16",
        "xlstm bench --format q8, q8_0",
        "xlstm generate --backend '', gpu",
        "xlstm generate -f my, my-story.txt",
        "xlstm generate --model my, my-story.txt",
        "xlstm batch my, my-story.txt",
        "xlstm sessions ex, export",
        "xlstm config ch, chat",
        "xlstm completion f, fish",
    })
    void bashCompletes(String typed, String proposed) throws Exception {
        Files.writeString(directory.resolve("my-story.txt"), "");
        assertThat(bash(typed)).contains(proposed);
    }

    @Test
    void bashCompletesOnATerminal() throws Exception {
        Path script = directory.resolve("completion");
        Files.writeString(script, xlstm("completion", "bash").out());
        try (PseudoTerminal terminal = new PseudoTerminal(80, 24, Map.of("PS1", "$ "), "bash", "--norc", "-i")) {
            terminal.enter("bind 'set enable-bracketed-paste off'; clear; source " + script);
            terminal.type("xlstm gen\t--state-d\tb\t");
            terminal.await("xlstm generate --state-dtype bf16");
        }
    }

    @Test
    void bashProposesNothingThatIsNotThere() throws Exception {
        assertThat(bash("xlstm inspect --temp")).containsExactly("");
        assertThat(bash("xlstm generate --top-")).containsExactlyInAnyOrder("--top-k", "--top-p");
    }

    /** picocli's script serves both shells. */
    @Test
    void zshHasTheScriptOfBash() throws Exception {
        assertThat(xlstm("completion", "zsh")).isEqualTo(xlstm("completion", "bash"));
        Assumptions.assumeTrue(has("zsh"), "no zsh on this system");
        Path script = Files.writeString(
                directory.resolve("completion"), xlstm("completion", "zsh").out());
        run("zsh", "-fc", "autoload -U compinit; compinit -D; source " + script + "; whence _complete_xlstm");
    }

    /** Each flag has its line, in every command that has it. */
    @Test
    void fishKnowsEveryFlag() {
        List<String> lines = xlstm("completion", "fish").out().lines().toList();
        GeneratedFiles.everything().subcommands().forEach((command, line) -> {
            for (OptionSpec option : line.getCommandSpec().options()) {
                String name = option.longestName().replaceFirst("^-+", "");
                assertThat(lines)
                        .as("%s %s", command, name)
                        .anyMatch(
                                l -> l.startsWith("complete -c xlstm -n '__fish_seen_subcommand_from " + command + "'")
                                        && (" " + l).contains(" -l " + name + " "));
            }
        });
    }

    @Test
    void fishCompletes() throws Exception {
        Assumptions.assumeTrue(has("fish"), "no fish on this system");
        Path script = Files.writeString(
                directory.resolve("xlstm.fish"), xlstm("completion", "fish").out());
        assertThat(run("fish", "--no-config", "-c", "source " + script + "; complete -C 'xlstm gen'"))
                .startsWith("generate\t");
        assertThat(run("fish", "--no-config", "-c", "source " + script + "; complete -C 'xlstm chat --sy'"))
                .startsWith("--system\t");
    }

    @Test
    void aShellThatIsNotKnownIsAUsageError() {
        assertThat(xlstm("completion", "tcsh").code()).isEqualTo(2);
        assertThat(xlstm("completion").err()).contains("SHELL");
        assertThat(xlstm("man", "generat").err()).startsWith("xlstm: no command 'generat'; did you mean generate?");
    }

    static List<String> commands() {
        return CommandNames.ALL;
    }

    /** A page says all that the help says: every flag, every description, every example. */
    @ParameterizedTest
    @MethodSource("commands")
    void manualPagesAreShownWithoutComplaint(String command) throws Exception {
        String page = xlstm("man", command).out();
        assertThat(page).startsWith(".TH \"XLSTM\\-" + command.toUpperCase(java.util.Locale.ROOT) + "\" \"1\"");
        Assumptions.assumeTrue(has("groff"), "no groff on this system");
        Path file = Files.write(directory.resolve("page.1"), page.getBytes(StandardCharsets.UTF_8));
        // -ww warns of everything; P-ccbou: no colours, no overstriking
        String shown = run("groff", "-man", "-Tutf8", "-ww", "-rLL=200n", "-P-cbou", file.toString());
        String words = words(shown);
        for (OptionSpec option : GeneratedFiles.everything()
                .subcommands()
                .get(command)
                .getCommandSpec()
                .options()) {
            if (!option.inherited()) {
                assertThat(words).contains(words(String.join(", ", option.names())));
                assertThat(words).contains(words(String.join(" ", option.description())));
            }
        }
        for (String line : GeneratedFiles.everything()
                .subcommands()
                .get(command)
                .getCommandSpec()
                .usageMessage()
                .footer()) {
            assertThat(shown).contains(line.strip());
        }
    }

    /** Without blanks and hyphens: lines are filled, and words broken at hyphens. */
    private static String words(String text) {
        return text.replaceAll("[\\s\u2010-]+", "");
    }

    @Test
    void theProgramHasAPageToo() throws Exception {
        String page = xlstm("man").out();
        assertThat(page)
                .contains(".SH \"COMMANDS\"")
                .contains(".SH \"EXIT STATUS\"")
                .contains("141");
        Assumptions.assumeTrue(has("man"), "no man on this system");
        Path file = Files.writeString(directory.resolve("xlstm.1"), page);
        String shown = run("man", "--warnings", "-P", "cat", "-l", file.toString());
        assertThat(shown).contains("EXIT STATUS").contains("generate");
    }
}
