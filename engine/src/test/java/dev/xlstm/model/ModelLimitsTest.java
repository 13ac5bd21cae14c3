package dev.xlstm.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Each limit, at it and one past it. */
class ModelLimitsTest {

    @TempDir
    Path directory;

    private JsonObject read(String name, String text) throws IOException {
        return JsonObject.read(Files.writeString(directory.resolve(name), text));
    }

    private String problem(String config) throws IOException {
        try {
            XlstmConfig.of(JsonObject.parse(Path.of("config.json"), config.getBytes(StandardCharsets.UTF_8)));
            return "";
        } catch (ModelException e) {
            return e.getMessage();
        }
    }

    @Test
    void bytesOfAFile() throws IOException {
        String text = "{}" + " ".repeat(ModelLimits.FILE_BYTES - 2);
        assertThat(read("x.json", text).fields()).isEmpty();
        assertThatThrownBy(() -> read("x.json", text + " "))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("larger than " + ModelLimits.FILE_BYTES + " bytes");
    }

    @Test
    void values() throws IOException {
        String inner = "1,".repeat(ModelLimits.VALUES - 2) + "1"; // the array is one, too
        assertThat(read("x.json", "{\"a\":[" + inner + "]}").has("a")).isTrue();
        assertThatThrownBy(() -> read("x.json", "{\"a\":[" + inner + ",1]}"))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("more than " + ModelLimits.VALUES + " values");
    }

    @ParameterizedTest
    @CsvSource({"x.json", "x.yaml"})
    void nesting(String name) throws IOException {
        int arrays = ModelLimits.NESTING - 1;
        String nested = "[".repeat(arrays) + "]".repeat(arrays);
        assertThat(read(name, "{\"a\": " + nested + "}").has("a")).isTrue();
        assertThatThrownBy(() -> read(name, "{\"a\": [" + nested + "]}"))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("is not valid");
    }

    /** A YAML alias is not followed, so none can grow. */
    @Test
    void aliasesDoNotMultiply() throws IOException {
        StringBuilder laughs = new StringBuilder("a0: &a0 [1, 1]\n");
        for (int i = 1; i < 40; i++) {
            laughs.append("a" + i + ": &a" + i + " [*a" + (i - 1) + ", *a" + (i - 1) + "]\n");
        }
        assertThat(read("x.yaml", laughs.toString()).fields()).hasSize(40);
    }

    @Test
    void bytesOfATemplate() throws IOException {
        Path file = directory.resolve("chat_template.jinja");
        Files.writeString(file, "x".repeat(ModelLimits.TEMPLATE_BYTES));
        assertThat(TokenizerConfig.read(directory).chatTemplate()).isPresent();
        Files.writeString(file, "x".repeat(ModelLimits.TEMPLATE_BYTES + 1));
        assertThatThrownBy(() -> TokenizerConfig.read(directory))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("larger than " + ModelLimits.TEMPLATE_BYTES + " bytes");
    }

    @Test
    void aTemplateThatIsNotUtf8NamesItsFile() throws IOException {
        Files.write(directory.resolve("chat_template.jinja"), new byte[] {'a', (byte) 0xff});
        assertThatThrownBy(() -> TokenizerConfig.read(directory))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("chat_template.jinja: is not UTF-8 text");
    }

    /** Beside the field there is nothing wrong, or something else is. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    "model_type":"xlstm","num_heads":1, "hidden_size":% | WIDTH | hidden_size
                    "model_type":"xlstm","hidden_size":8,"num_heads":1, "num_hidden_layers":% | LAYERS | num_hidden_layers
                    "model_type":"xlstm","hidden_size":8,"num_heads":1, "vocab_size":% | VOCAB | vocab_size
                    "model_type":"xlstm","hidden_size":8,"num_heads":1, "v_dim_factor":% | FACTOR | v_dim_factor
                    "slstm_at":[],"vocab_size":9,"mlstm_block":{}, "embedding_dim":% | WIDTH | embedding_dim
                    "slstm_at":[],"vocab_size":9,"mlstm_block":{}, "num_blocks":% | LAYERS | num_blocks
                    "slstm_at":[],"mlstm_block":{}, "vocab_size":% | VOCAB | vocab_size
                    "slstm_at":[],"vocab_size":9,"mlstm_block":{"mlstm":{"proj_factor":%}} | FACTOR | proj_factor
                    "slstm_at":[],"vocab_size":9,"mlstm_block":{"mlstm":{"conv1d_kernel_size":%}} | KERNEL | conv1d
                    """)
    void dimensions(String fields, String limit, String field) throws Exception {
        int most = ((Number) ModelLimits.class.getDeclaredField(limit).get(null)).intValue();
        assertThat(problem("{" + fields.replace("%", Integer.toString(most)) + "}"))
                .doesNotContain(field);
        assertThat(problem("{" + fields.replace("%", Integer.toString(most + 1)) + "}"))
                .contains(field, "number from", "to " + most);
    }

    @Test
    void blocksOfAProjection() throws IOException {
        String tree = "{\"slstm_at\":[],\"vocab_size\":9,\"embedding_dim\":1024,\"mlstm_block\":{\"mlstm\":"
                + "{\"qkv_proj_blocksize\":%}}}";
        assertThat(problem(tree.replace("%", "" + ModelLimits.BLOCK))).isEmpty();
        assertThat(problem(tree.replace("%", "" + 2 * ModelLimits.BLOCK)))
                .contains("the limit is " + ModelLimits.BLOCK);
    }

    @Test
    void bytesOfAState() throws IOException {
        // 8 GiB and a little for each layer
        String config = "{\"model_type\":\"xlstm\",\"hidden_size\":65536,\"num_heads\":1,\"num_hidden_layers\":%}";
        assertThat(problem(config.replace("%", "7"))).isEmpty();
        assertThat(problem(config.replace("%", "8"))).contains("state");
    }

    @Test
    void referencesInAConfigAreFollowedOnce() throws IOException {
        String tree =
                "{\"a\":\"${b}\",\"b\":\"${a}\",\"model\":{\"slstm_at\":[],\"mlstm_block\":{},\"vocab_size\":\"${%}\"}}";
        for (String name : new String[] {"a", "model.vocab_size", "b", "model.a.b", "."}) {
            assertThat(problem(tree.replace("%", name))).contains("vocab_size");
        }
        assertThat(problem(tree.replace("%", "model"))).contains("vocab_size", "an object");
    }
}
