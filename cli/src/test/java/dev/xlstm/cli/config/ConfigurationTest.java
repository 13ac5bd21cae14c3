package dev.xlstm.cli.config;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.GeneratedFiles;
import dev.xlstm.cli.options.MultiValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.OptionSpec;
import tools.jackson.databind.JsonNode;

import static org.assertj.core.api.Assertions.assertThat;

/** Flags, variables and the user's file, in their order. */
public class ConfigurationTest {

    @TempDir
    Path home;

    private Path file;
    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void home() throws IOException {
        file = Files.createDirectories(home.resolve(".config/xlstm")).resolve("config.properties");
        environment.put("HOME", home.toString());
        environment.put("XLSTM_MODEL", CliRun.DEMO.toString());
    }

    private CliRun run(String... args) {
        return CliRun.with("", List.of(), environment, args);
    }

    private void file(String... lines) throws IOException {
        Files.write(file, List.of(lines));
    }

    private int tokens(String... flags) {
        List<String> args = new ArrayList<>(List.of("generate", "--json", "--ignore-eos", "Once upon a time"));
        args.addAll(List.of(flags));
        return run(args.toArray(String[]::new)).json().get("token_ids").size();
    }

    private String origin(String key, String... args) {
        List<String> all = new ArrayList<>(List.of("config"));
        all.addAll(List.of(args));
        return run(all.toArray(String[]::new))
                .out()
                .lines()
                .map(line -> line.split("\t", 2))
                .filter(parts -> parts[1].startsWith(key + "="))
                .map(parts -> parts[0] + " " + parts[1])
                .reduce("", (a, b) -> a.isEmpty() ? b : a + " " + b);
    }

    /** Each place comes before those below it, and the program does what xlstm config says. */
    @Test
    void precedence() throws IOException {
        file("max-tokens=2", "", "# for stories", "generate.max-tokens=3");
        environment.put("XLSTM_MAX_TOKENS", "4");
        environment.put("XLSTM_GENERATE_MAX_TOKENS", "5");
        assertThat(tokens("-n", "1")).isEqualTo(1);
        assertThat(tokens()).isEqualTo(5);
        assertThat(origin("max-tokens", "generate")).isEqualTo("env:XLSTM_GENERATE_MAX_TOKENS max-tokens=5");
        environment.put("XLSTM_GENERATE_MAX_TOKENS", ""); // as good as none
        assertThat(tokens()).isEqualTo(4);
        assertThat(origin("max-tokens", "generate")).isEqualTo("env:XLSTM_MAX_TOKENS max-tokens=4");
        environment.remove("XLSTM_MAX_TOKENS");
        assertThat(tokens()).isEqualTo(3);
        assertThat(origin("max-tokens", "generate")).isEqualTo("file:" + file + ":4 max-tokens=3");
        assertThat(origin("max-tokens", "batch")).isEqualTo("file:" + file + ":1 max-tokens=2");
        file("max-tokens=2");
        assertThat(tokens()).isEqualTo(2);
        Files.delete(file);
        assertThat(tokens()).isEqualTo(256);
        assertThat(origin("max-tokens", "generate")).isEqualTo("default: max-tokens=256");
    }

    @Test
    void theFileIsWhereTheSpecificationSays() throws IOException {
        file("max-tokens=2");
        Path other = Files.createDirectories(home.resolve("other/xlstm"));
        Files.writeString(other.resolve("config.properties"), "max-tokens=3\n");
        environment.put("XDG_CONFIG_HOME", other.getParent().toString());
        assertThat(tokens()).isEqualTo(3);
        environment.put("XDG_CONFIG_HOME", "relative");
        assertThat(tokens()).isEqualTo(2);
    }

    /** Groups, mixins, lists, enums, flags without a value and those of all commands. */
    @Test
    void everyKindOfFlagCanBeSet() throws IOException {
        file(
                "temperature = 0",
                "seed: 9",
                "stop=zzz",
                "state-dtype=bf16",
                "join=\\n\\u2014\\n${x}\\\\",
                "stop=the \\",
                "     end",
                "stats=true",
                "color=never");
        CliRun run = run("generate", "-n", "2", "Once");
        assertThat(run.err()).contains("seed 9");
        assertThat(run("generate", "-n", "2", "--stats=false", "Once"))
                .isEqualTo(new CliRun(0, run.out(), ""))
                .as("unset for once");
        assertThat(run("generate", "-n", "2", "--stats", "Once").err())
                .as("set twice is set")
                .contains("seed 9");
        assertThat(run("generate", "-n", "2", "-t", "1.5", "--top-k", "0", "--seed", "9", "--stats=false", "Once"))
                .as("one flag of a group given, the others keep what was set")
                .isEqualTo(run("generate", "-n", "2", "-t", "1.5", "--top-k", "0", "--stats=false", "Once"));
        assertThat(origin("stop")).isEqualTo("file:" + file + ":3 stop=zzz file:" + file + ":3 stop=the end");
        assertThat(origin("join")).as("as typed").contains(":5 join=\\n—\\n${x}\\\\");
        assertThat(origin("generate.temperature")).isEmpty();
        assertThat(origin("temperature")).endsWith(":1 temperature=0");
        assertThat(origin("color")).endsWith(":9 color=never");
        JsonNode json = run("config", "--json", "generate").json();
        assertThat(json.get("file").asString()).isEqualTo(file.toString());
        Map<String, JsonNode> settings = new HashMap<>();
        json.get("settings").forEach(s -> settings.put(s.get("key").asString(), s));
        assertThat(settings.get("stop").get("value").toString()).isEqualTo("[\"zzz\",\"the end\"]");
        assertThat(settings.get("stop").get("origin").asString()).isEqualTo("file:" + file + ":3");
        assertThat(settings.get("join").get("value").asString()).isEqualTo("\n—\n${x}\\");
        assertThat(settings.get("grammar").get("value").isNull()).isTrue();
    }

    @Test
    void aTildeIsTheHomeWhereAPathIsMeant() throws IOException {
        environment.remove("XLSTM_MODEL");
        file("model=~/models/x", "generate.stop=~/x");
        assertThat(run("tokenize", "x").err()).startsWith("xlstm: " + home + "/models/x: no such model");
        assertThat(origin("generate.stop")).endsWith("stop=~/x");
    }

    @Test
    void severalStopsOfTheFileAllEndATextAndAFlagReplacesThem() throws IOException {
        file("stop=girl", "stop=upon", "temperature=0");
        assertThat(run("generate", "Once").out()).doesNotContain("upon");
        assertThat(run("generate", "--stop", "time", "Once").out())
                .contains("upon")
                .doesNotContain("time");
    }

    @Test
    void whatIsWrongWithTheFileIsOneLineWithThePlace() throws IOException {
        String place = "xlstm: " + file;
        file("temperature=0", "temprature=1");
        assertThat(run("generate", "Once").code()).isEqualTo(2);
        assertThat(run("generate", "Once").err())
                .startsWith(place + ":2: 'temprature' is not a known key")
                .hasLineCount(1);
        assertThat(run("config").err()).startsWith(place + ":2: ");
        assertThat(run("generate", "--help").code()).as("help is to be had").isZero();
        file("output=out.txt");
        assertThat(run("generate", "Once").err()).startsWith(place + ":1: 'output' is not a known key");
        file("seed=1", "seed=2");
        assertThat(run("generate", "x").err()).startsWith(place + ":1: 'seed' is set more than once");
        file("", "top-k=many");
        CliRun run = run("generate", "Once");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains("'many' is not an int").contains("(set by " + file + ":2: change it there, or");
        file("min-p=7");
        assertThat(run("generate", "Once").err()).contains("min-p").contains("(set by " + file + ":1: ");
        environment.put("XLSTM_MIN_P", "8");
        assertThat(run("generate", "Once").err()).contains("(set by XLSTM_MIN_P: ");
        assertThat(run("generate", "--min-p", "9", "Once").err()).doesNotContain("set by");
        assertThat(run("generate", "--min-p", "x", "Once").err())
                .contains("'x' is not")
                .doesNotContain("set by");
        environment.remove("XLSTM_MIN_P");
        file("a=\\u12");
        assertThat(run("generate", "Once").code()).isEqualTo(2);
        assertThat(run("generate", "Once").err())
                .startsWith(place + ":1: Malformed")
                .hasLineCount(1);
        Files.write(file, new byte[] {'a', '=', (byte) 0xff});
        assertThat(run("generate", "Once").err()).startsWith(place + ": is not UTF-8");
        Files.delete(file);
        Files.createDirectory(file);
        assertThat(run("generate", "Once").err()).startsWith(place + ": is not a regular file");
        assertThat(run("generate", "Once").code()).isEqualTo(2);
    }

    @Test
    void theFileMayHaveSixtyFourKibibytes() throws IOException {
        String most = "# " + "x".repeat((1 << 16) - 17) + "\ntemperature=0\n";
        Files.writeString(file, most);
        assertThat(run("generate", "-n", "1", "Once").err()).isEmpty();
        Files.writeString(file, most + "\n");
        assertThat(run("generate", "-n", "1", "Once").err())
                .isEqualTo("xlstm: " + file + ": is larger than the 65536 bytes allowed: shorten it\n");
    }

    /** A key of another command is no mistake. */
    @Test
    void keysOfOtherCommandsAreKnown() throws IOException {
        file("snapshot-memory=1G", "bench.repetitions=2", "temperature=0.5");
        assertThat(run("tokenize", "Once").code()).isZero();
    }

    @Test
    void unknownVariablesAreIgnoredAndWarnedOf() {
        environment.put("XLSTM_TEMPRATURE", "1");
        environment.put("XLSTM_JAVA_OPTS", "-Xmx1g");
        assertThat(run("tokenize", "Once").err()).isEmpty();
        assertThat(run("config").err())
                .isEqualTo("xlstm: warning: XLSTM_TEMPRATURE is ignored: it is not the variable of a flag\n");
    }

    /** What is written into the sources from what the commands declare: see {@link GeneratedFiles}. */
    @Test
    void theListOfKeysIsCurrent() throws IOException {
        Map<String, OptionSpec> options = new TreeMap<>();
        Configuration.collect(GeneratedFiles.everything(), options);
        GeneratedFiles.check(
                Path.of("src/main/resources/dev/xlstm/cli/config", Configuration.KEYS),
                String.join("\n", options.keySet()) + "\n");
    }

    /** What picocli needs for a flag that is on by default to stay on when given; and lists that a file can fill. */
    @Test
    void flagsAreDeclaredSoThatDefaultsWork() {
        Map<String, OptionSpec> options = new LinkedHashMap<>();
        Configuration.collect(GeneratedFiles.everything(), options);
        assertThat(options).hasSizeGreaterThan(100).containsKeys("chat.top-k", "top-k", "color");
        options.forEach((key, option) -> {
            boolean isFlag = option.typeInfo().isBoolean();
            assertThat(option.fallbackValue()).as(key).isEqualTo(isFlag ? "true" : option.fallbackValue());
            assertThat(option.splitRegex()).as(key).isEqualTo(option.isMultiValue() ? MultiValue.SEPARATOR : "");
        });
        options.keySet().forEach(key -> assertThat(Configuration.EXCLUDED).doesNotContain(key));
    }
}
