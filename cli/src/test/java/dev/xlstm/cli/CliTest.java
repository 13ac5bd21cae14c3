package dev.xlstm.cli;

import dev.xlstm.cli.console.ColorMode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.CommandNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

/** What all commands share: help, exit codes, what is said about failures. */
class CliTest {

    @TempDir
    Path directory;

    @Test
    void versionAndHelpGoToStdout() {
        assertThat(xlstm("--version").out()).matches("xlstm \\d+\\.\\d+\\.\\d+\n");
        assertThat(xlstm("-V")).isEqualTo(xlstm("--version"));
        assertThat(xlstm("--debug", "-V")).isEqualTo(xlstm("--version"));
        CliRun help = xlstm("--help");
        assertThat(help.code()).isZero();
        assertThat(help.err()).isEmpty();
        assertThat(help.out()).startsWith("Usage: xlstm").contains(CommandNames.ALL);
        assertThat(xlstm("generate", "--help").out())
                .startsWith("Usage: xlstm generate")
                .contains("--temperature");
    }

    @Test
    void helpIsACommandToo() {
        assertThat(xlstm("help")).isEqualTo(xlstm("--help"));
        assertThat(xlstm("help", "generate")).isEqualTo(xlstm("generate", "--help"));
    }

    @Test
    void withoutACommandTheHelpIsOnStderr() {
        CliRun run = xlstm();
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).isEqualTo(xlstm("--help").out());
    }

    /** Foreign text may begin with @: no argument and no value of an option names a file of more arguments. */
    @Test
    void argumentsAreNeverReadFromFiles() throws IOException {
        Path state = directory.resolve("stolen.state");
        Path file = Files.writeString(directory.resolve("notes"), "--save-state\n" + state + "\n--json\n--bogus\nx\n");
        String at = "@" + file;
        String demo = CliRun.DEMO.toString();
        String ids = xlstm(
                        "tokenize",
                        "--model",
                        demo,
                        "-f",
                        Files.writeString(directory.resolve("t"), at).toString())
                .out();
        assertThat(xlstm("tokenize", "--model", demo, at)).isEqualTo(new CliRun(0, ids, ""));
        assertThat(xlstm("tokenize", "--model", demo, "--", at)).isEqualTo(new CliRun(0, ids, ""));
        CliRun generated = xlstm("generate", "--model", demo, "-n", "2", "--echo", at);
        assertThat(generated.code()).isZero();
        assertThat(generated.out()).startsWith(at);
        assertThat(xlstm("generate", "--model", demo, "-n", "2", "--stop", at, "--", at)
                        .code())
                .isZero();
        assertThat(xlstm("generate", "--model", demo, "--json-schema", at, "x"))
                .isEqualTo(new CliRun(1, "", "xlstm: " + at + ": no such file\n"));
        CliRun chat = xlstm("chat", "--model", demo, "-n", "2", "-s", at, "--once", at);
        assertThat(chat.code()).as(chat.err()).isZero();
        assertThat(xlstm(at).err()).contains("'" + at + "'").doesNotContain("bogus");
        assertThat(state).doesNotExist();
    }

    @Test
    void unknownCommandsAreUsageErrors() {
        for (String[] args : new String[][] {{"generat", "text"}, {"help", "generat"}, {"generat", "--help"}}) {
            CliRun run = xlstm(args);
            assertThat(run.code()).isEqualTo(2);
            assertThat(run.out()).isEmpty();
            assertThat(run.err())
                    .isEqualTo("xlstm: no command 'generat'; did you mean generate?\nTry 'xlstm --help' for help.\n");
        }
    }

    /** What people type instead of what a command takes: the message says what to type. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "chat,What is red?|xlstm chat --once \"What is red?\"",
                "generate,once,upon,a time|xlstm generate \"once upon a time\"",
                "score,the,cat|xlstm score \"the cat\"",
                "generate,a,$b|xlstm generate 'a $b'",
                "Once upon a time|xlstm generate \"Once upon a time\"",
                "zzzzzz|no command 'zzzzzz'; there are generate, chat,",
                "sessions,lst|no command 'lst' of sessions; did you mean list?",
                "generate,--temprature,1,x|unknown flag '--temprature'; did you mean --temperature?",
                "chat,--modle=x|unknown flag '--modle'; did you mean --model?",
                "generate,--zzzzzzzz|unknown flag '--zzzzzzzz'; see xlstm generate --help",
                "generate,-- a dash|put -- before a text that begins with a dash",
                "inspect,a,b|unexpected argument 'b'",
                "config,chta|no command 'chta'; did you mean chat?",
                "man,zzzzzz|no command 'zzzzzz'; there are generate,",
                "help,foo,bar|no command 'foo'",
            })
    void mistakesAreAnsweredWithWhatToType(String args, String expected) {
        CliRun run = xlstm(args.split(","));
        assertThat(run.code()).as(run.err()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("xlstm: ").contains(expected).hasLineCount(2);
    }

    @Test
    void colourIsForTerminalsOrOnDemand() {
        assertThat(xlstm("--help").out()).doesNotContain("\u001b");
        assertThat(xlstm("--color", "always", "--help").out()).contains("\u001b[");
        assertThat(xlstm("score", "--color=always", "--help").out()).contains("\u001b[");
        Map<String, String> plain = Map.of("TERM", "xterm");
        assertThat(ColorMode.AUTO.decide(true, plain)).isTrue();
        assertThat(ColorMode.AUTO.decide(false, plain)).isFalse();
        assertThat(ColorMode.AUTO.decide(true, Map.of("NO_COLOR", "1"))).isFalse();
        assertThat(ColorMode.AUTO.decide(true, Map.of("TERM", "dumb"))).isFalse();
        assertThat(ColorMode.ALWAYS.decide(false, Map.of("NO_COLOR", "1"))).isTrue();
        assertThat(ColorMode.NEVER.decide(true, plain)).isFalse();
    }

    @Test
    void aMissingModelIsOneLine() {
        CliRun run = xlstm("generate", "--model", "/no/such/model", "text");
        assertThat(run).isEqualTo(new CliRun(1, "", "xlstm: /no/such/model: no such model directory\n"));
    }

    @Test
    void aDamagedModelIsOneLineWithTheFile() throws IOException {
        try (Stream<Path> files = Files.list(CliRun.DEMO)) {
            for (Path file : files.toList()) {
                Files.copy(file, directory.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Path weights = directory.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, java.util.Arrays.copyOf(bytes, bytes.length - 1000));
        CliRun run = xlstm("generate", "--model", directory.toString(), "text");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("xlstm: " + weights);
    }

    @Test
    void debugShowsTheTrace() {
        CliRun run = xlstm("generate", "--debug", "--model", "/no/such/model", "text");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).startsWith("xlstm: /no/such/model").contains("\tat dev.xlstm.model.ModelDirectory");
    }

    @Test
    void controlCharactersAreShownOnATerminalOnly() {
        assertThat(Streams.visible("a\u001b[31mb\tc\n\r\u0007\u007f\u009bé🐶")).isEqualTo("a^[[31mb\tc\n^M^G^?M-^[é🐶");
        String[] command = {"tokenize", "--model", CliRun.DEMO.toString(), "--decode", "-"};
        String ids = xlstm("tokenize", "--model", CliRun.DEMO.toString(), "\u001b[2J")
                .out();
        assertThat(CliRun.with(ids, List.of("out"), command).out()).isEqualTo("^[[2J\n");
        assertThat(CliRun.with(ids, List.of(), command).out()).isEqualTo("\u001b[2J\n");
    }

    static List<String> commands() {
        return CommandNames.ALL;
    }

    /** The examples in a command's help, without what comes after a pipe or redirection, are understood. */
    @ParameterizedTest
    @MethodSource("commands")
    void examplesInTheHelpAreUnderstood(String command) {
        Cli cli = new Cli(new Streams(System.in, System.out, System.err, List.of()), new Interruption(), Map.of());
        String help = cli.commandLine(List.of(command))
                .getSubcommands()
                .get(command)
                .getUsageMessage(CommandLine.Help.Ansi.OFF);
        Matcher example =
                Pattern.compile("(?m)^  (?:.*\\| )?xlstm " + command + "(.*)$").matcher(help);
        int count = 0;
        while (example.find()) {
            List<String> args = words(example.group(1).replaceAll("(\\||>).*", ""));
            args.add(0, command);
            assertThatCode(() -> cli.commandLine(List.of(command)).parseArgs(args.toArray(String[]::new)))
                    .as(example.group())
                    .doesNotThrowAnyException();
            count++;
        }
        assertThat(count).isPositive();
    }

    /** Splits at blanks outside double quotes, as a shell would. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        Matcher word = Pattern.compile("\"([^\"]*)\"|(\\S+)").matcher(line);
        while (word.find()) {
            words.add(word.group(1) != null ? word.group(1) : word.group(2));
        }
        return words;
    }

    /** The defaults that the help states are those that hold. */
    @Test
    void statedDefaultsAreTrue() {
        CommandLine generate = new Cli(
                        new Streams(System.in, System.out, System.err, List.of()), new Interruption(), Map.of())
                .commandLine(List.of("generate"))
                .getSubcommands()
                .get("generate");
        int checked = 0;
        for (CommandLine.Model.OptionSpec option : generate.getCommandSpec().options()) {
            Matcher stated = Pattern.compile("Default: (?:what the model recommends, else )?(-?[0-9.]+)$")
                    .matcher(String.join(" ", option.description()));
            if (stated.find()) {
                assertThat(Double.parseDouble(stated.group(1)))
                        .as(option.longestName())
                        .isEqualTo(Double.parseDouble(option.getValue().toString()));
                checked++;
            }
        }
        assertThat(checked).isGreaterThan(16);
    }
}
