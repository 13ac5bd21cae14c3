package dev.xlstm.model;

import dev.xlstm.error.NotFoundException;
import dev.xlstm.safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ModelDirectoryTest {

    private static final String REVISION = "0123456789abcdef0123456789abcdef01234567";

    @TempDir
    Path directory;

    private void write(String name, String json) throws IOException {
        String text = json.replace('\'', '"');
        if (name.equals("config.json")) {
            String rest = text.substring(1);
            text = "{\"model_type\":\"xlstm\"" + (rest.equals("}") ? "" : ",") + rest;
        }
        Files.writeString(directory.resolve(name), text);
    }

    private SpecialTokens specialTokens() throws IOException {
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            return model.specialTokens();
        }
    }

    @Test
    void opensADirectoryByItsPath() throws Exception {
        new TestModel().write(directory);
        try (ModelDirectory model = ModelDirectory.open(directory.toString())) {
            assertThat(model.path()).isEqualTo(directory);
            assertThat(model.tokenizerFile()).isEmpty();
            assertThat(model.tokenizer()).isEmpty();
            assertThat(model.weights()).isSameAs(model.weights());
        }
    }

    @Test
    void saysWhatIsMissing() throws Exception {
        assertThatThrownBy(() -> ModelDirectory.open(directory.resolve("none").toString()))
                .isInstanceOf(NotFoundException.class)
                .hasMessage(directory.resolve("none") + ": no such model directory");
        assertThatThrownBy(() -> ModelDirectory.open(directory.toString())).hasMessageContaining("has no config.json");
        write("config.yaml", "embedding_dim: 64");
        assertThat(ModelDirectory.open(directory.toString()).config().hiddenSize())
                .isEqualTo(64);
        assertThatThrownBy(() ->
                        ModelDirectory.open(directory.resolve("config.yaml").toString()))
                .hasMessageContaining("is a file; name the directory it is in");
        assertThatThrownBy(() -> ModelDirectory.open("a\0b")).hasMessageContaining("neither a directory nor");
    }

    /** The weights become unreadable, not the process, when the model is closed. */
    @Test
    void closingUnmapsTheWeights() throws Exception {
        new TestModel().write(directory);
        ModelDirectory model = ModelDirectory.open(directory);
        Tensor head = model.checkpoint().tensors().get("lm_head.weight");
        model.close();
        assertThatThrownBy(() -> head.data().get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    // ---- the Hugging Face cache

    private Path cacheModel(Path hub, String id) throws IOException {
        Path model = hub.resolve("models--" + id.replace("/", "--"));
        Path snapshot = Files.createDirectories(model.resolve("snapshots").resolve(REVISION));
        Files.createDirectories(model.resolve("refs"));
        Files.writeString(model.resolve("refs").resolve("main"), REVISION);
        return snapshot;
    }

    /** The snapshot holds links to blobs beside it. */
    @Test
    void opensASnapshotOfLinks() throws Exception {
        Path snapshot = cacheModel(directory.resolve("hub"), "a/b");
        Path blobs = new TestModel().write(snapshot.resolve("..").resolve("..").resolve("blobs"));
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.createSymbolicLink(snapshot.resolve(name), Path.of("..", "..", "blobs", name));
        }
        assertThat(blobs).isDirectory();
        try (ModelDirectory model =
                ModelDirectory.open(ModelDirectory.resolve("a/b", Map.of("HF_HOME", directory.toString())))) {
            assertThat(model.weights().blocks()).hasSize(2);
        }
    }

    // ---- special tokens

    /** A byte-level tokenizer without merges: "!" is id 2, the other bytes are 300 and up. */
    private void tokenizer(String addedTokens) throws IOException {
        StringBuilder vocab = new StringBuilder("'!':2");
        int others = 0;
        for (int b = 0; b < 256; b++) {
            // bytes that are no printable Latin-1 character have letters from 256 on, as GPT-2 assigns them
            boolean printable = b > ' ' && b < 0x7f || b > 0xa0 && b != 0xad;
            int letter = printable ? b : 256 + others++;
            if (b != '!') {
                vocab.append(String.format(",'\\u%04x':%d", letter, 300 + b));
            }
        }
        write(
                "tokenizer.json",
                "{'added_tokens':" + addedTokens + ",'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':false},"
                        + "'decoder':{'type':'ByteLevel'},'model':{'type':'BPE','vocab':{" + vocab + "},'merges':[]}}");
    }

    private void assertSpecialTokens(OptionalInt bos, boolean prepend, Set<Integer> stopIds, Set<Integer> doubtful)
            throws IOException {
        SpecialTokens special = specialTokens();
        assertThat(special.bos()).isEqualTo(bos);
        assertThat(special.prependBos()).isEqualTo(prepend);
        assertThat(special.stopIds()).isEqualTo(stopIds);
        assertThat(special.doubtful().keySet()).isEqualTo(doubtful);
    }

    /** As xLSTM-7b is published: its configs name id 2, which its tokenizer knows as "!". */
    @Test
    void the7bStopsAtItsTokenizersEosAndNotAtExclamationMarks() throws Exception {
        write("config.json", "{'bos_token_id':0,'eos_token_id':2,'force_bos_token_insert':true}");
        write("generation_config.json", "{'bos_token_id':0,'eos_token_id':2}");
        write("tokenizer_config.json", "{'bos_token':'<|endoftext|>','eos_token':'<|endoftext|>'}");
        tokenizer("[{'id':0,'content':'<|endoftext|>','special':true,'normalized':false},"
                + "{'id':1,'content':'<|padding|>','special':true},{'id':50276,'content':'  ','special':false}]");
        assertSpecialTokens(OptionalInt.of(0), true, Set.of(0), Set.of(2));
    }

    /** The eos token may be of the vocabulary. */
    @Test
    void stopsAtAnOrdinaryTokenIfTheTokenizerCallsItItsEos() throws Exception {
        write("config.json", "{'eos_token_id':2}");
        write("tokenizer_config.json", "{'eos_token':'!'}");
        tokenizer("[]");
        assertSpecialTokens(OptionalInt.empty(), false, Set.of(2), Set.of());
        write("tokenizer_config.json", "{'eos_token':{'content':3}}");
        assertThatThrownBy(this::specialTokens).hasMessageContaining("\"eos_token\" has no string \"content\"");
    }

    @Test
    void configsAreBelievedAboutAddedTokens() throws Exception {
        write("config.json", "{'eos_token_id':7}");
        write("generation_config.json", "{'eos_token_id':[7,8,9,10]}");
        write("tokenizer_config.json", "{'eos_token':{'content':'<end>','lstrip':false},'bos_token':null}");
        tokenizer("[{'id':5,'content':'<end>','special':true},{'id':7,'content':'<turn>','special':true},"
                + "{'id':8,'content':'<done>','special':false},{'id':10,'content':'  ','special':false}]");
        assertSpecialTokens(OptionalInt.empty(), false, Set.of(5, 7, 8), Set.of(9, 10));
        assertThat(specialTokens().ends())
                .containsEntry(5, List.of("tokenizer_config.json eos_token"))
                .containsEntry(7, List.of("config.json eos_token_id", "generation_config.json eos_token_id"))
                .containsEntry(8, List.of("generation_config.json eos_token_id"));
        assertThat(specialTokens().doubtful()).containsEntry(9, List.of("generation_config.json eos_token_id"));
    }

    @Test
    void withoutATokenizerTheConfigIsAllThereIs() throws Exception {
        write("config.json", "{'bos_token_id':3,'eos_token_id':2,'force_bos_token_insert':false}");
        assertSpecialTokens(OptionalInt.of(3), false, Set.of(2), Set.of());
        write("config.json", "{}");
        assertSpecialTokens(OptionalInt.empty(), false, Set.of(), Set.of());
    }

    @Test
    void theTokenizersConfigMayAskForBosToo() throws Exception {
        write("config.json", "{}");
        write("tokenizer_config.json", "{'bos_token':'<s>','add_bos_token':true}");
        tokenizer("[{'id':4,'content':'<s>','special':true}]");
        assertSpecialTokens(OptionalInt.of(4), true, Set.of(), Set.of());
    }

    @Test
    void refusesDamagedFiles() throws Exception {
        write("config.json", "{'eos_token_id':-2}");
        assertThatThrownBy(this::specialTokens).hasMessageContaining("\"eos_token_id\" is -2");
        write("config.json", "{}");
        write("generation_config.json", "{\n'eos_token_id':");
        assertThatThrownBy(this::specialTokens)
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("generation_config.json: is not valid JSON (line 2): Unexpected end-of-input");
        Files.delete(directory.resolve("generation_config.json"));
        write("tokenizer.json", "{'added_tokens':[");
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.specialTokens().stopIds()).isEmpty(); // counts as a model without a tokenizer
            assertThatThrownBy(model::tokenizer)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(directory.resolve("tokenizer.json").toString());
        }
    }

    // ---- smaller facts

    /** generation_config.json is advice: no value of it stops a run. */
    @Test
    void unusualAdviceIsLeftOut() throws Exception {
        write("config.json", "{'eos_token_id':-1,'bos_token_id':-1}");
        write(
                "generation_config.json",
                "{'eos_token_id':[3,-1,'x',null],'top_k':-1,'max_new_tokens':-1,'temperature':'hot','do_sample':null}");
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            GenerationConfig config = model.generationConfig();
            assertThat(config.eosIds()).containsExactly(3);
            assertThat(config.ignored())
                    .containsExactly("\"eos_token_id\": -1", "\"eos_token_id\": \"x\"", "\"eos_token_id\": null");
            assertThat(config.isGreedy()).isFalse();
            assertThat(config.number("top_k")).hasValue(-1);
            assertThat(config.number("temperature")).isEmpty();
            assertThat(model.specialTokens().stopIds()).containsExactly(3);
            assertThat(model.specialTokens().bos()).isEmpty();
        }
    }

    @Test
    void findsTheChatTemplate() throws Exception {
        write("config.json", "{}");
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.tokenizerConfig().chatTemplate()).isEmpty();
            write("tokenizer_config.json", "{'chat_template':'one'}");
            assertThat(model.tokenizerConfig().chatTemplate()).hasValue("one");
            write(
                    "tokenizer_config.json",
                    "{'chat_template':[{'name':'tool_use','template':'two'},{'name':'default','template':'three'}]}");
            assertThat(model.tokenizerConfig().chatTemplate()).hasValue("three");
            write("chat_template.jinja", "four");
            assertThat(model.tokenizerConfig().chatTemplate()).hasValue("four");
        }
    }

    @Test
    void knowsTheTrainingContext() throws Exception {
        for (String[] expected : new String[][] {
            {"{}", "8192"}, {"{'context_length':256}", "256"}, {"{'max_position_embeddings':512}", "512"}
        }) {
            write("config.json", expected[0]);
            try (ModelDirectory model = ModelDirectory.open(directory)) {
                assertThat(model.trainingContext()).isEqualTo(Integer.parseInt(expected[1]));
            }
        }
    }
}
