package dev.xlstm.cli.options;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.console.CliLimits;
import dev.xlstm.cli.console.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** Grammars, schemas and the samplers of generate, at the edge of the process. */
class ConstraintFlagsTest {

    @TempDir
    Path directory;

    private static CliRun generate(String... args) {
        String[] all = new String[args.length + 4];
        System.arraycopy(new String[] {"generate", "--model", CliRun.DEMO.toString(), "Once upon"}, 0, all, 0, 4);
        System.arraycopy(args, 0, all, 4, args.length);
        return CliRun.with("", List.of(), all);
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text).toString();
    }

    @Test
    void aGrammarFileHasALimitAndIsText() throws IOException {
        String comment = "#".repeat(CliLimits.GRAMMAR_BYTES);
        Path file = Files.writeString(directory.resolve("x.gbnf"), comment);
        assertThat(generate("--grammar", file.toString()).err())
                .contains("x.gbnf: a grammar of " + CliLimits.GRAMMAR_BYTES + " characters");
        Files.writeString(file, comment + "#");
        CliRun run = generate("--grammar", file.toString());
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("x.gbnf: is larger than " + CliLimits.GRAMMAR_BYTES + " bytes");
        Files.write(file, new byte[] {'r', (byte) 0xff});
        assertThat(generate("--json-schema", file.toString()).err()).contains("x.gbnf: is not UTF-8 text");
    }

    @Test
    void grammarFilesKeepTheTextInside() throws IOException {
        String grammar = file("g.gbnf", "root ::= \" \" [0-9]{2} \" cats\"\n");
        CliRun run = generate("--grammar", grammar, "-n", "20");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).matches(" \\d\\d cats\n");
        JsonNode json = generate("--grammar", grammar, "-n", "20", "--json", "--seed", "1")
                .json();
        assertThat(json.get("text").asString()).matches(" \\d\\d cats");
        assertThat(json.get("finish_reason").asString()).isEqualTo("stop");
        assertThat(json.get("grammar_complete").asBoolean()).isTrue();
    }

    @Test
    void schemasComeFromFilesOrTheCommandLine() throws IOException {
        String schema =
                "{\"type\":\"object\",\"properties\":{\"age\":{\"type\":\"integer\",\"minimum\":7,\"maximum\":42}},"
                        + "\"required\":[\"age\"]}";
        for (String given : List.of(schema, file("s.json", schema))) {
            CliRun run = generate("--json-schema", given, "-n", "40");
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(JsonMapper.shared().readTree(run.out()).get("age").asInt())
                    .isBetween(7, 42);
        }
    }

    @Test
    void unknownSchemaKeywordsGiveOneWarning() {
        String schema = """
                {"type": "object", "discriminator": {"propertyName": "a"}, "properties": {"a": {"const": 1, "nullable": true}},
                 "required": ["a"], "markdownDescription": "m", "additionalProperties": false}""";
        CliRun run = generate("--json-schema", schema, "-n", "60");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).matches("(?s)\\{\\s*\"a\":\\s*1\\s*}\n");
        assertThat(run.err())
                .isEqualTo("xlstm: warning: the schema has unknown keywords, which are ignored: markdownDescription,"
                        + " nullable\n");
        assertThat(generate("--json-schema", schema, "-n", "60", "-q").err()).isEmpty();
    }

    @Test
    void whatDoesNotFitIsCutOffAndSaidSo() throws IOException {
        String grammar = file("g.gbnf", "root ::= \"0123456789\"{9}");
        CliRun run = generate("--grammar", grammar, "-n", "5");
        assertThat(run.code()).isZero();
        assertThat(run.err())
                .isEqualTo("xlstm: warning: the text is cut off, the grammar was not finished (end: length, -n 5 is too"
                        + " small for it)\n");
        JsonNode json = generate("--grammar", grammar, "-n", "5", "--json").json();
        assertThat(json.get("finish_reason").asString()).isEqualTo("length");
        assertThat(json.get("grammar_complete").asBoolean(true)).isFalse();
        assertThat(generate("--grammar", grammar, "-n", "5", "-q").err()).isEmpty();
    }

    private static void assertUsage(String message, String... args) {
        CliRun run = generate(args);
        assertThat(run.code()).as(run.toString()).isEqualTo(2);
        assertThat(run.err()).contains(message);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void damagedGrammarsAreUsageErrors() throws IOException {
        String bad = file("bad.gbnf", "root ::= \"a\n");
        assertUsage(bad + ": line 1, column 10: this literal is not closed on its line", "--grammar", bad);
        assertUsage("left recursion", "--grammar", file("l.gbnf", "root ::= root \"a\" | \"b\""));
        assertUsage("--json-schema: schema #: the keyword \"not\" is not supported", "--json-schema", "{\"not\":{}}");
        assertUsage("give --grammar or --json-schema, not both", "--grammar", bad, "--json-schema", "{}");
        CliRun missing = generate("--grammar", directory.resolve("none").toString());
        assertThat(missing.code()).isEqualTo(1);
        assertThat(missing.err()).contains("none").hasLineCount(1);
    }

    @Test
    void biasesNameTokensByIdOrText() {
        String first = generate("-t", "0", "-n", "1", "--json")
                .json()
                .get("token_ids")
                .get(0)
                .asString();
        assertThat(generate("-t", "0", "-n", "1", "-l", first + "-inf", "--json")
                        .json()
                        .get("token_ids")
                        .get(0)
                        .asString())
                .isNotEqualTo(first);
        assertThat(generate("-t", "0", "-n", "2", "-l", "!+100").out()).isEqualTo("!!\n");
        assertThat(generate("-t", "0", "-n", "2", "--logit-bias", "\"!\"+100").out())
                .isEqualTo("!!\n");
        assertUsage("--logit-bias 'x' is no token with its bias", "-l", "x");
        assertUsage("names a text of ", "-l", "hello big wide world+1");
        assertUsage("id 99999 is outside the model's vocabulary of 2048", "-l", "99999+1");
    }

    @Test
    void samplersAreChosenByName() {
        // without a step that heeds it, top-k 1 has no effect; with it, all seeds give the same text
        String greedy = generate("-t", "0", "-n", "8").out();
        for (String seed : List.of("1", "2")) {
            assertThat(generate("--samplers", "top_k", "--top-k", "1", "-n", "8", "--seed", seed)
                            .out())
                    .isEqualTo(greedy);
        }
        assertThat(generate("--samplers", "", "--top-k", "1", "-n", "8", "--seed", "1")
                        .out())
                .isNotEqualTo(generate("--samplers", "", "--top-k", "1", "-n", "8", "--seed", "2")
                        .out());
        assertUsage("unknown sampler \"typ\"", "--samplers", "typ");
        assertUsage("sampler dry must come before top_k", "--samplers", "top_k;dry");
        assertUsage("xtc-probability must be between 0 and 1, not 2.0", "--xtc-probability", "2");
        assertUsage("mirostat-eta must be between 0 and 1, not 2.0", "--mirostat-eta", "2");
    }

    @Test
    void dryBreaksLoopsButNotAcrossBreakers() {
        String[] looping = {"-t", "0", "-n", "24", "-l", "!+100", "-l", "?+99.5", "--dry-multiplier", "1", "--json"};
        String plain = generate(looping).json().get("text").asString();
        assertThat(plain).contains("!!!").contains("?");
        String[] broken = new String[looping.length + 2];
        System.arraycopy(looping, 0, broken, 0, looping.length);
        broken[looping.length] = "--dry-sequence-breaker";
        broken[looping.length + 1] = "!";
        assertThat(generate(broken).json().get("text").asString()).isEqualTo("!".repeat(24));
    }

    @Test
    void mirostatAndXtcReachTheSampler() {
        String greedy = generate("-t", "0", "-n", "6").out();
        // hot, but with no surprise allowed: the likeliest token each time
        assertThat(generate("-t", "3", "-n", "6", "--mirostat-tau", "0.01", "--mirostat-eta", "0")
                        .out())
                .isEqualTo(greedy);
        // of the two likeliest always the other one, whatever the seed
        String[] second = {
            "-n", "6", "--top-k", "2", "--top-p", "1", "--min-p", "0", "--xtc-probability", "1", "--xtc-threshold", "0"
        };
        assertThat(generate(second).out()).isEqualTo(generate(second).out()).isNotEqualTo(greedy);
    }
}
