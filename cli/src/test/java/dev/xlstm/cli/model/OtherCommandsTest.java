package dev.xlstm.cli.model;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** score, tokenize and inspect. */
class OtherCommandsTest {

    private static final String DEMO = CliRun.DEMO.toString();
    private static final Path TINY = CliRun.FIXTURES.resolve("tiny-f32");

    @TempDir
    Path directory;

    /** From the reference's own logits, by the definition of the softmax. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "fixtures/tiny-f32",
                "fixtures-blocks/blocks-mixed",
                "fixtures-blocks/blocks-mlstm",
                "fixtures-blocks/blocks-slstm",
                "fixtures-blocks/blocks-tied"
            })
    void scoresOfIdsAreTheReferences(String fixture) throws IOException {
        Path model = CliRun.FIXTURES.resolveSibling(fixture);
        JsonNode golden = JsonMapper.shared().readTree(Files.readString(model.resolve("golden.json")));
        JsonNode ids = golden.get("prompt_ids");
        String separated = ids.toString()
                .replaceAll("[\\[\\]]", "")
                .replaceFirst(",", "\n")
                .replaceFirst(",", " , ");
        Path file = Files.writeString(directory.resolve("ids.txt"), separated + "\n");
        JsonNode json = xlstm("score", "--model", model.toString(), "--ids-file", file.toString(), "--json")
                .json();

        assertThat(json.get("token_ids")).isEqualTo(ids);
        assertThat(json.get("logprobs")).hasSize(ids.size());
        assertThat(json.get("logprobs").get(0).isNull()).isTrue();
        double sum = 0;
        try (SafetensorsFile reference = SafetensorsFile.open(model.resolve("golden.safetensors"))) {
            Tensor logits = reference.tensors().get("logits_recurrent");
            for (int i = 1; i < ids.size(); i++) {
                double expected = logSoftmax(logits, i - 1, ids.get(i).asInt());
                assertThat(json.get("logprobs").get(i).asDouble()).isCloseTo(expected, within(1e-3));
                sum += expected;
            }
        }
        double perplexity = Math.exp(-sum / (ids.size() - 1));
        assertThat(json.get("perplexity").asDouble()).isCloseTo(perplexity, within(1e-3 * perplexity));
    }

    private static double logSoftmax(Tensor logits, int row, int id) {
        int vocab = (int) logits.shape()[logits.shape().length - 1];
        double sum = 0;
        for (int i = 0; i < vocab; i++) {
            sum += Math.exp(at(logits, row, vocab, i));
        }
        return at(logits, row, vocab, id) - Math.log(sum);
    }

    private static double at(Tensor logits, int row, int vocab, int id) {
        return logits.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) row * vocab + id);
    }

    @Test
    void scoresOfTextAreShownByTokenWithThePerplexityLast() {
        String text = "The cat sat.\nIt slept.";
        CliRun plain = xlstm("score", "--model", DEMO, text);
        JsonNode json = xlstm("score", "--model", DEMO, "--json", text).json();
        List<String> lines = plain.out().lines().toList();
        assertThat(plain.code()).isZero();
        assertThat(lines).hasSize(json.get("token_ids").size() + 1);
        assertThat(lines.get(0)).matches("\\d+\t-\t.*");
        assertThat(lines.get(1)).matches("\\d+\t-\\d+\\.\\d{6}\tThe");
        assertThat(plain.out()).contains("\\n");
        assertThat(lines.getLast())
                .isEqualTo(
                        String.format("perplexity\t%.6f", json.get("perplexity").asDouble()));
        CliRun piped = CliRun.with(text, List.of(), "score", "--model", DEMO);
        assertThat(piped.out()).isEqualTo(plain.out());
    }

    @Test
    void aSingleIdHasNoPerplexity() throws IOException {
        Path file = Files.writeString(directory.resolve("ids.txt"), "5");
        JsonNode json = xlstm("score", "--model", TINY.toString(), "--ids-file", file.toString(), "--json")
                .json();
        assertThat(json.get("perplexity").isNull()).isTrue();
    }

    @Test
    void badIdsNameTheFile() throws IOException {
        Path file = Files.writeString(directory.resolve("ids.txt"), "5, six");
        CliRun run = xlstm("score", "--model", TINY.toString(), "--ids-file", file.toString());
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .isEqualTo("xlstm: " + file + ": 'six' is not a token id; ids are numbers, separated by commas"
                        + " or white space\n");
        assertThat(xlstm("score", "--model", TINY.toString(), "--ids-file", file.toString(), "text")
                        .code())
                .isEqualTo(2);
    }

    @Test
    void tokenizeThereAndBack() {
        String text = "Once upon a time,\n  there were 2 Übermäuse 🐭.";
        String ids = xlstm("tokenize", "--model", DEMO, text).out();
        assertThat(ids).matches("\\d+( \\d+)*\n");
        assertThat(xlstm("tokenize", "--model", DEMO, "--decode", ids).out()).isEqualTo(text + "\n");
        assertThat(CliRun.with(ids, List.of(), "tokenize", "--model", DEMO, "--decode")
                        .out())
                .isEqualTo(text + "\n");
        int count = ids.split(" ").length;
        assertThat(xlstm("tokenize", "--model", DEMO, "--count", text).out()).isEqualTo(count + "\n");
        JsonNode json = xlstm("tokenize", "--model", DEMO, "--json", text).json();
        assertThat(json.get("token_ids")).hasSize(count);
        assertThat(json.get("tokens")).hasSize(count);
        assertThat(json.get("tokens").get(1).asString()).startsWith("Ġ");
    }

    @Test
    void specialTokensCanBeOrdinaryText() {
        String text = "<|endoftext|>";
        assertThat(xlstm("tokenize", "--model", DEMO, "--count", text).out()).isEqualTo("1\n");
        assertThat(xlstm("tokenize", "--model", DEMO, "--count", "--no-special", text)
                        .out())
                .isNotEqualTo("1\n");
        String id = xlstm("tokenize", "--model", DEMO, text).out();
        assertThat(xlstm("tokenize", "--model", DEMO, "--decode", id).out()).isEqualTo(text + "\n");
        assertThat(xlstm("tokenize", "--model", DEMO, "--decode", "--no-special", id)
                        .out())
                .isEqualTo("\n");
    }

    @Test
    void inspectKnowsTheFixture() {
        JsonNode json = xlstm("inspect", "--model", TINY.toString(), "--json").json();
        assertThat(json.get("config").get("hidden_size").asInt()).isEqualTo(64);
        assertThat(json.get("config").get("num_layers").asInt()).isEqualTo(3);
        assertThat(json.get("config").get("ffn_size").asInt()).isEqualTo(192);
        // a block: two norms and the multi-head norm, q, k, v, o, two gates with bias, out, and the feed-forward's
        // three
        long block = 3 * 64 + 2 * 32 * 64 + 2 * 64 * 64 + 2 * (4 * 64 + 4) + 64 * 64 + 3 * 192 * 64;
        long parameters = 3 * block + 64 + 2 * 256 * 64;
        assertThat(json.get("parameters").asLong()).isEqualTo(parameters);
        assertThat(json.get("weight_bytes").asLong()).isEqualTo(4 * parameters);
        assertThat(json.get("state_bytes").asLong()).isEqualTo(4 * 3 * 4 * (8 * 16 + 8 + 1));
        assertThat(json.get("tokenizer_size").isNull()).isTrue();
        assertThat(json.get("chat_template").asBoolean()).isFalse();
        assertThat(json.get("tensors")).hasSize(48);

        CliRun table = xlstm("inspect", "--model", TINY.toString(), "--tensors");
        assertThat(table.out())
                .contains("3 blocks, width 64, feed-forward 192")
                .contains(String.format("%,d in 48 tensors", parameters))
                .contains("no tokenizer")
                .contains("lm_head.weight");
        assertThat(table.out().lines().filter(line -> line.contains(" x "))).isNotEmpty();
    }

    @Test
    void inspectShowsAStackOfBlocks() {
        String mixed = CliRun.BLOCK_FIXTURES.resolve("blocks-mixed").toString();
        String table = xlstm("inspect", "--model", mixed).out();
        assertThat(table)
                .contains("xLSTM[1:1]: 4 blocks, width 96")
                .contains("at 1, 3")
                .contains("inner width 128, 4 heads of 32, q/k/v in blocks of 8, convolution over 4 tokens")
                .contains("2 heads of 48, convolution over 4 tokens, feed-forward 128 (gelu)")
                .contains("mLSTM c 32.00 KiB, mLSTM n 1.00 KiB, mLSTM m 32 bytes, mLSTM conv 3.00 KiB")
                .contains("sLSTM y 768 bytes, sLSTM c 768 bytes, sLSTM n 768 bytes, sLSTM m 768 bytes, sLSTM conv");
        JsonNode json = xlstm("inspect", "--model", mixed, "--json").json();
        assertThat(json.get("config").get("stack").asString()).isEqualTo("xLSTM[1:1]");
        assertThat(json.get("config").get("slstm_at").toString()).isEqualTo("[1,3]");
        long bytes = 0;
        for (JsonNode part : json.get("state")) {
            bytes += part.get("bytes").asLong();
        }
        assertThat(json.get("state_bytes").asLong()).isEqualTo(bytes);
        String mlstm = CliRun.BLOCK_FIXTURES.resolve("blocks-mlstm").toString();
        assertThat(xlstm("inspect", "--model", mlstm).out())
                .contains("xLSTM[1:0]")
                .contains("none");
    }

    @Test
    void inspectTakesAPath() {
        assertThat(xlstm("inspect", TINY.toString())).isEqualTo(xlstm("inspect", "--model", TINY.toString()));
        assertThat(xlstm("inspect", TINY.toString(), "--model", DEMO).code()).isEqualTo(2);
        assertThat(xlstm("inspect", "/no/such/model").err()).startsWith("xlstm: /no/such/model: ");
    }

    @Test
    void inspectDescribesAStateFile() throws IOException {
        Path state = directory.resolve("a.state");
        xlstm("prime", "--model", DEMO, "-o", state.toString(), "Once upon a time");
        JsonNode json = xlstm("inspect", state.toString(), "--json").json();
        int tokens = xlstm("tokenize", "--model", DEMO, "--json", "Once upon a time")
                .json()
                .get("count")
                .asInt();
        assertThat(json.get("kind").asString()).isEqualTo("state");
        assertThat(json.get("tokens").asInt()).isBetween(tokens, tokens + 1); // with or without a bos token
        assertThat(json.get("exact").asBoolean()).isTrue();
        assertThat(json.get("bytes").asLong()).isEqualTo(Files.size(state));
        CliRun table = xlstm("inspect", state.toString());
        assertThat(table.out()).contains("tokens read    " + json.get("tokens")).contains("f32 (resumes exactly)");
        xlstm("prime", "--model", DEMO, "--state-dtype", "bf16", "-o", state.toString(), "Once upon a time");
        assertThat(xlstm("inspect", state.toString()).out()).contains("bf16 (approximate)");

        byte[] bytes = Files.readAllBytes(state);
        bytes[bytes.length - 1] ^= 1;
        Files.write(state, bytes);
        CliRun damaged = xlstm("inspect", state.toString());
        assertThat(damaged.code()).isEqualTo(1);
        assertThat(damaged.err()).startsWith("xlstm: " + state + ": ").contains("was altered or damaged");
    }

    @Test
    void decodingAnIdOutsideTheVocabularyIsAnError() {
        int size = xlstm("inspect", DEMO, "--json").json().get("tokenizer_size").asInt();
        assertThat(xlstm("tokenize", "--model", DEMO, "--decode", "" + (size - 1))
                        .code())
                .isZero();
        assertThat(xlstm("tokenize", "--model", DEMO, "--decode", "5," + size))
                .isEqualTo(new CliRun(
                        1,
                        "",
                        "xlstm: id " + size + " is outside the tokenizer's vocabulary; the largest id is " + (size - 1)
                                + "\n"));
    }

    @Test
    void inspectKnowsTheDemoModel() {
        JsonNode json = xlstm("inspect", "--model", DEMO, "--json").json();
        assertThat(json.get("chat_template").asBoolean()).isTrue();
        assertThat(json.get("tokenizer_size").asInt()).isPositive();
        assertThat(xlstm("inspect", "--model", DEMO).out())
                .contains("chat template")
                .contains("BF16");
    }

    @Test
    void sizesAreReadable() {
        assertThat(ByteSize.text(1023)).isEqualTo("1023 bytes");
        assertThat(ByteSize.text(1536)).isEqualTo("1.50 KiB");
        assertThat(ByteSize.text(134_480_896L)).isEqualTo("128.25 MiB");
    }
}
