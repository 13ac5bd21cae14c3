package dev.xlstm.cli;

import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.safetensors.DType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** Long inputs and endless outputs through the real launcher: the same as at once, interrupted, and on a terminal. */
class LongRunsIT {

    private static final String XLSTM =
            Path.of("..", "scripts", "xlstm").toAbsolutePath().normalize().toString();
    private static final String[] WORDS = {" the", " cat", " and", " dog", " ran", " saw", " red", " hat"};

    @TempDir
    Path directory;

    /** A model of two small layers with the 256 bytes and a few words as tokens. */
    private Path tinyModel() throws IOException {
        Path model = Files.createDirectory(directory.resolve("model"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(CliRun.FIXTURES.resolve("tiny-tied").resolve(file), model.resolve(file));
        }
        List<String> vocab = new ArrayList<>();
        int next = 256; // GPT-2's alphabet shows bytes that do not print as U+0100 and up, in order
        for (int b = 0; b < 256; b++) {
            boolean prints = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            vocab.add(String.format("\"\\u%04x\":%d", prints ? b : next++, b));
        }
        List<String> merges = new ArrayList<>();
        for (String word : WORDS) {
            String spelled = word.replace(' ', '\u0120');
            for (int end = 2; end <= spelled.length(); end++) {
                String merge = "\"" + spelled.substring(0, end - 1) + " " + spelled.charAt(end - 1) + "\"";
                if (!merges.contains(merge)) {
                    merges.add(merge);
                    vocab.add("\"" + spelled.substring(0, end) + "\":" + vocab.size());
                }
            }
        }
        Files.writeString(
                model.resolve("tokenizer.json"),
                "{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\","
                        + "\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},\"decoder\":"
                        + "{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{" + String.join(",", vocab)
                        + "},\"merges\":[" + String.join(",", merges) + "]}}");
        return model;
    }

    private static String text(int characters) {
        Random random = new Random(7);
        StringBuilder text = new StringBuilder();
        while (text.length() < characters) {
            text.append(WORDS[random.nextInt(WORDS.length)]);
            if (random.nextInt(50) == 0) {
                text.append(random.nextBoolean() ? " café 🐶\n\n" : ".\n");
            }
        }
        return text.append('.').toString();
    }

    private Process start(ProcessBuilder builder) throws IOException {
        builder.environment().keySet().removeIf(name -> name.startsWith("XLSTM_"));
        builder.environment().put("XDG_CONFIG_HOME", "/none");
        return builder.directory(directory.toFile())
                .redirectError(directory.resolve("err").toFile())
                .start();
    }

    private static int end(Process process) throws InterruptedException {
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    /** With the default for SIGINT, which a test run in the background may have taken away. */
    private static List<String> interruptible(String... arguments) {
        List<String> command = new ArrayList<>();
        if (System.getProperty("os.name").equals("Linux")) {
            command.addAll(List.of("env", "--default-signal=INT"));
        }
        command.add(XLSTM);
        command.addAll(List.of(arguments));
        return command;
    }

    private static void interrupt(Process process) throws Exception {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    }

    @Test
    void megabytesThroughAPipeAreTheTextAtOnce() throws Exception {
        Path tiny = tinyModel();
        String text = text(2_000_000);
        Path file = Files.writeString(directory.resolve("text"), text);
        Process process = start(new ProcessBuilder(
                "sh", "-c", "cat '" + file + "' | '" + XLSTM + "' prime -m '" + tiny + "' -o piped.state"));
        assertThat(end(process)).as(Files.readString(directory.resolve("err"))).isZero();
        Path whole = directory.resolve("whole.state");
        try (TextModel model = TextModel.open(tiny);
                TextSession session = model.newSession()) {
            session.feed(text);
            assertThat(session.position()).isBetween(300_000L, 1_500_000L);
            session.save(whole, DType.F32);
        }
        assertThat(Files.mismatch(directory.resolve("piped.state"), whole)).isEqualTo(-1);
    }

    @Test
    void ctrlCWhileTextIsGeneratedKeepsTheState() throws Exception {
        String[] sampling = {"generate", "--seed", "4", "--ignore-eos", "--jsonl"};
        List<String> command = interruptible(sampling);
        command.addAll(List.of("-n", "-1", "--save-state", "cut.state", "Once upon a time"));
        Process process = start(new ProcessBuilder(command));
        process.getOutputStream().close(); // no more of the prompt to come
        List<JsonNode> first = new ArrayList<>();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                first.add(JsonMapper.shared().readTree(line));
                if (first.size() == 8) {
                    interrupt(process);
                }
            }
        }
        assertThat(end(process)).isEqualTo(130);
        assertThat(first.getLast().get("finish_reason").asString()).isEqualTo("interrupted");
        String cut = directory.resolve("cut.state").toString();
        int count = first.size() - 1;
        List<String> ids = new ArrayList<>(tokens(first));
        ids.addAll(tokens(events("generate", "--jsonl", "--ignore-eos", "-n", "5", "--state", cut)));
        List<JsonNode> uncut = events(
                "generate",
                "--seed",
                "4",
                "--ignore-eos",
                "--jsonl",
                "-n",
                Integer.toString(count + 5),
                "Once upon a time");
        assertThat(ids).isEqualTo(tokens(uncut));
    }

    private static List<JsonNode> events(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(1, List.of("--model", CliRun.DEMO.toString()));
        CliRun run = CliRun.xlstm(all.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isZero();
        return run.out().lines().map(line -> JsonMapper.shared().readTree(line)).toList();
    }

    private static List<String> tokens(List<JsonNode> events) {
        return events.stream()
                .filter(event -> event.get("event").asString().equals("token"))
                .map(event -> event.get("id").toString())
                .toList();
    }

    /** It waits for more text then; the file of another run stays as it is. */
    @Test
    void ctrlCWhileThePromptIsReadWritesNothing() throws Exception {
        for (String command : List.of("generate --save-state", "prime -o")) {
            Path state = Files.writeString(directory.resolve("old.state"), "old");
            List<String> words = new ArrayList<>(List.of(command.split(" ")));
            words.add(state.toString());
            if (command.startsWith("generate")) {
                words.add("--echo");
            }
            Process process = start(new ProcessBuilder(interruptible(words.toArray(String[]::new))));
            process.getOutputStream()
                    .write("Once upon a time there was\nmore to come\n".getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
            if (command.startsWith("generate")) {
                assertThat(process.getInputStream().readNBytes(10)).asString().isEqualTo("Once upon ");
            } else {
                Thread.sleep(1500); // nothing tells how far it is
            }
            interrupt(process);
            assertThat(end(process)).as(command).isEqualTo(130);
            process.getOutputStream().close();
            assertThat(state).content().isEqualTo("old");
            try (var files = Files.list(directory)) {
                assertThat(files.map(Path::getFileName).map(Path::toString))
                        .containsExactlyInAnyOrder("old.state", "err");
            }
        }
    }

    /** Shown while a long text is read, gone before the text that is generated; not shown for a short one. */
    @Test
    void aLongPromptShowsHowFarItIsOnATerminal() throws Exception {
        Path tiny = tinyModel();
        Files.writeString(directory.resolve("long"), text(1_500_000));
        String run = "cd '" + directory + "' && '" + XLSTM + "' generate -m model --ignore-eos -t 0 -q -n 3 ";
        try (PseudoTerminal terminal = new PseudoTerminal(
                80, 24, Map.of(), "sh", "-c", run.replace("-q ", "") + "-f long 2>&1 && echo the end")) {
            String shown = terminal.await("reading: ");
            assertThat(shown).containsPattern("reading: [\\d,]+ tokens, [\\d,]+/s");
            String after = terminal.await("the end");
            assertThat(after).doesNotContain("reading");
            assertThat(terminal.exitCode()).isZero();
            String sent = terminal.received();
            int last = sent.lastIndexOf("reading: ");
            assertThat(sent.indexOf("\r\u001b[K", last)).as("erased").isPositive();
        }
        for (String quiet : List.of("-f long", "short")) {
            String command = quiet.equals("short") ? run.replace("-q ", "") + "short" : run + quiet;
            try (PseudoTerminal terminal =
                    new PseudoTerminal(80, 24, Map.of(), "sh", "-c", command + " && echo the end")) {
                terminal.await("the end");
                assertThat(terminal.received()).doesNotContain("reading").doesNotContain("\u001b[K");
            }
        }
        assertThat(tiny).isDirectory();
    }
}
