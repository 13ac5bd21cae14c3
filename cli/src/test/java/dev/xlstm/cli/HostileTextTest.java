package dev.xlstm.cli;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Names and texts of strangers that a terminal would obey: none reaches it, whichever way it takes. */
class HostileTextTest {

    /** Sets a title, clears the screen, goes back over the line, as 7 and as 8 bits; turns the direction of what follows. */
    private static final String EVIL = "\u001b]0;evil\u0007\u001b[2J\r\u009b31m\u202e";

    /** The same in a JSON string. */
    private static final String ESCAPED = "\\u001b]0;evil\\u0007\\u001b[2J\\r\\u009b31m\\u202e";

    private static final Path TINY = Path.of("../test-data/fixtures/tiny-f32");

    @TempDir
    Path directory;

    private Path model;

    @BeforeEach
    void copyModel() throws IOException {
        model = Files.createDirectory(directory.resolve("model"));
        try (Stream<Path> files = Files.list(TINY)) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
    }

    /** Runs on a terminal; returns all that it was sent. */
    private String shown(Map<String, String> environment, String... args) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        Streams streams = new Streams(
                new ByteArrayInputStream(new byte[0]),
                all,
                new PrintStream(all, true, StandardCharsets.UTF_8),
                List.of("out", "err"));
        new Cli(streams, new Interruption(), environment).run(args);
        String text = all.toString(StandardCharsets.UTF_8);
        assertThat(text).isNotBlank();
        assertThat(text.chars().filter(c -> c != '\n' && c != '\t')).as(text).noneMatch(Character::isISOControl);
        assertThat(text).doesNotContain("\u202e");
        return text;
    }

    private String shown(String... args) {
        return shown(Map.of("XDG_CONFIG_HOME", "/none", "NO_COLOR", "1"), args);
    }

    /** A saved chat whose words, names and endings are a stranger's; its directory has a name of lines. */
    private static void session(Path state, String name, String branch) throws IOException {
        String turns = """
                {"id":0,"kind":"STATE","tokens":3,"text":"EVIL\\nx"},
                {"id":1,"parent":0,"kind":"BEGINNING","text":"EVIL\\nx"},
                {"id":2,"parent":1,"kind":"DOCUMENT","text":"EVIL\\nx","base":"turn-1","prompt":["EVIL"],"prompt_ids":[]},
                {"id":3,"parent":2,"kind":"EXCHANGE","text":"EVIL","base":"turn-2","prompt":["EVIL"],"prompt_ids":[],
                 "answer":"EVIL","answer_ids":[],"ending":"EVIL"}""";
        String json = "{\"version\":2,\"model\":\"EVIL\",\"started\":\"EVIL\",\"branch\":\"" + branch
                + "\",\"branches\":{\"" + branch + "\":3,\"\u202eniam\":2},\"turns\":[" + turns + "]}";
        Path directory = Files.createDirectories(state.resolve("xlstm/sessions").resolve(name));
        Files.writeString(directory.resolve("conversation.json"), json.replace("EVIL", ESCAPED));
    }

    @Test
    void savedChats() throws IOException {
        Path state = directory.resolve("state");
        Map<String, String> environment =
                Map.of("XDG_CONFIG_HOME", "/none", "NO_COLOR", "1", "XDG_STATE_HOME", state.toString());
        session(state, EVIL + "\nmore", "main");
        session(state, "named", "EVIL");
        assertThat(shown(environment, "sessions", "list").lines())
                .hasSize(2)
                .anyMatch(line -> line.contains("damaged"));
        for (String id : List.of(EVIL, EVIL + "\nmore", "none" + EVIL)) {
            assertThat(shown(environment, "sessions", "show", id)).contains("evil");
            assertThat(shown(environment, "sessions", "export", "--json", id)).contains("evil");
            assertThat(shown(environment, "sessions", "export", "--branch", EVIL, id))
                    .contains("evil");
        }
        assertThat(shown(environment, "sessions", "export", "--branch", "none", EVIL))
                .contains("there are main, <U+202E>niam");
        assertThat(shown(environment, "sessions", "show", "named"))
                .contains("conversation.json: \"branches\" have a name with blanks or control characters")
                .hasLineCount(1);
        assertThat(shown(environment, "sessions", "delete", EVIL + "\nless")).hasLineCount(1);
        new Cli(
                        new Streams(new ByteArrayInputStream(new byte[0]), System.err, System.err, List.of()),
                        new Interruption(),
                        environment)
                .run("sessions", "delete", EVIL);
        assertThat(shown(environment, "sessions", "list").lines()).hasSize(1);
    }

    private void config(String text) throws IOException {
        Files.writeString(model.resolve("config.json"), text);
    }

    @Test
    void namesOnTheCommandLine() {
        String name = directory.resolve(EVIL).toString();
        for (String command :
                List.of("generate", "prime", "score", "tokenize", "inspect", "quantize", "bench", "batch")) {
            shown(command, "--model", name, EVIL);
            shown(command, EVIL, "--output", name);
            shown(command, "--" + EVIL);
        }
        assertThat(shown(EVIL)).contains("evil");
        shown("generate", "--model", model.toString(), "--temperature", EVIL, "x");
        shown("generate", "--model", model.toString(), "--backend", EVIL, "--prompt-ids", "1");
        shown("generate", "--model", model.toString(), "--prompt-ids", EVIL);
        shown("help", EVIL);
    }

    @Test
    void configsAndTensors() throws IOException {
        String config = Files.readString(model.resolve("config.json"));
        config("{\"model_type\":\"" + ESCAPED + "\"}");
        shown("inspect", "--model", model.toString());
        config("{\"" + ESCAPED + "\":1,\"" + ESCAPED + "\":2}");
        assertThat(shown("inspect", "--model", model.toString())).contains("config.json");
        config(EVIL);
        shown("inspect", "--model", model.toString());
        config(config);
        Path weights = model.resolve("model.safetensors");
        byte[] file = Files.readAllBytes(weights);
        int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(file, 8, length, StandardCharsets.UTF_8);
        String more = "{\"" + ESCAPED + "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
                + header.strip().substring(1);
        byte[] json = more.getBytes(StandardCharsets.UTF_8);
        Files.write(
                weights,
                ByteBuffer.allocate(8 + json.length + file.length - 8 - length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(json.length)
                        .put(json)
                        .put(file, 8 + length, file.length - 8 - length)
                        .array());
        assertThat(shown("inspect", "--model", model.toString())).contains("evil"); // a tensor without a place
        Files.write(weights, "{\"".getBytes(StandardCharsets.UTF_8));
        shown("inspect", "--model", model.toString());
    }

    @Test
    void grammarsSchemasBatchesAndDefaults() throws IOException {
        String demo = CliRun.DEMO.toString();
        Path file = directory.resolve("x");
        Files.writeString(file, "root ::= " + EVIL + "\n");
        shown("generate", "-m", demo, "--grammar", file.toString(), "x");
        for (String schema : List.of(
                "{\"" + ESCAPED + "\":1}",
                "{\"type\":\"" + ESCAPED + "\"}",
                "{\"$ref\":\"" + ESCAPED + "\"}",
                "{\"type\":\"string\",\"pattern\":\"(?" + ESCAPED + "\"}")) {
            assertThat(shown("generate", "-m", demo, "--json-schema", schema, "x"))
                    .contains("evil");
        }
        shown("generate", "-m", demo, "--json-schema", "{" + EVIL, "x");
        Files.writeString(
                file,
                "{\"id\":\"" + ESCAPED + "\",\"prompt\":\"x\",\"max_tokens\":1}\n{\"" + ESCAPED + "\":1}\n" + EVIL
                        + "\n");
        assertThat(shown("batch", "-m", demo, "-q", file.toString())).contains("evil");
        Path home = Files.createDirectories(directory.resolve("home/xlstm")).getParent();
        Files.writeString(home.resolve("xlstm/config.properties"), "\\u001b]0;evil\\u0007 = 1\n");
        assertThat(shown(Map.of("XDG_CONFIG_HOME", home.toString(), "NO_COLOR", "1"), "config"))
                .contains("evil");
    }

    @Test
    void textsOfModels() throws IOException {
        Path ids = directory.resolve("ids");
        CliRun encoded = CliRun.xlstm("tokenize", "-m", CliRun.DEMO.toString(), EVIL);
        Files.writeString(ids, encoded.out());
        assertThat(shown("tokenize", "-m", CliRun.DEMO.toString(), "--decode", "-f", ids.toString()))
                .contains("^[]0;evil^G");
        assertThat(shown("chat", "-m", CliRun.DEMO.toString(), "-n", "1", "--system", EVIL, "--once", EVIL + "\n"))
                .isNotEmpty();
        shown("generate", "-m", CliRun.DEMO.toString(), "--echo", "-n", "1", EVIL);
    }
}
