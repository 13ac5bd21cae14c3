package dev.xlstm.model;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class XlstmConfigTest {

    private static XlstmConfig parse(String json) throws ModelException {
        String text = typed(json).replace('\'', '"');
        return XlstmConfig.of(JsonObject.parse(Path.of("config.json"), text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Adds a model_type to an object without one. */
    private static String typed(String json) {
        if (!json.startsWith("{") || json.contains("model_type")) {
            return json;
        }
        String comma = json.startsWith("{}") ? "" : ",";
        return "{'model_type':'xlstm'" + comma + json.substring(1);
    }

    private static void refused(String json, String complaint) {
        assertThatThrownBy(() -> parse(json))
                .as(json)
                .isInstanceOf(ModelException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContaining(complaint)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContainPattern("\\p{Cc}"));
    }

    /** The figures of xLSTM-7b, whose file says little and whose widths follow from the defaults. */
    @Test
    void anEmptyConfigIsThe7b() throws Exception {
        XlstmConfig config = parse("{'model_type':'xlstm','embedding_dim':4096,'num_blocks':32}");
        assertThat(config)
                .isEqualTo(parse("{}"))
                .isEqualTo(new XlstmConfig(
                        4096,
                        50304,
                        Collections.nCopies(32, new BlockConfig.Large(8, 2048, 4096, 10944, 15, 1e-6f, false)),
                        XlstmConfig.NormKind.RMS,
                        1e-6f,
                        true,
                        false,
                        30,
                        64));
        assertThat(config.large().orElseThrow().qkHeadSize()).isEqualTo(256);
        assertThat(config.large().orElseThrow().vHeadSize()).isEqualTo(512);
        assertThat(config.stateBytes()).isEqualTo(134_480_896);
    }

    @ParameterizedTest
    @CsvSource({"4096, 10944", "1024, 2752", "768, 2048", "512, 1408", "96, 256"})
    void roundsAsTheReferenceDoes(int hidden, int ffn) throws Exception {
        assertThat(parse("{'hidden_size':" + hidden + ",'num_heads':1}")
                        .large()
                        .orElseThrow()
                        .ffnSize())
                .isEqualTo(ffn);
    }

    @Test
    void truncatesTheCellsWidths() throws Exception {
        XlstmConfig config = parse("{'hidden_size':100,'num_heads':3,'qk_dim_factor':0.339,'v_dim_factor':0.999}");
        assertThat(config.large().orElseThrow().qkSize()).isEqualTo(33);
        assertThat(config.large().orElseThrow().vSize()).isEqualTo(99);
    }

    /** transformers stores its default of one name beside the other, which the model was made with. */
    @Test
    void takesEitherNameOfAPairAndTheFirstOfTwo() throws Exception {
        assertThat(parse("{'hidden_size':64,'embedding_dim':64}").hiddenSize()).isEqualTo(64);
        assertThat(parse("{'embedding_dim':64,'hidden_size':null}").hiddenSize())
                .isEqualTo(64);
        assertThat(parse("{'num_blocks':3}").numLayers()).isEqualTo(3);
        assertThat(parse("{'num_hidden_layers':3}").numLayers()).isEqualTo(3);
        assertThat(parse("{'hidden_size':4096,'embedding_dim':128}").hiddenSize())
                .isEqualTo(128);
        assertThat(parse("{'num_hidden_layers':32,'num_blocks':3}").numLayers()).isEqualTo(3);
    }

    @Test
    void takesTheNameOfTheArchitectureInAnyCase() throws Exception {
        assertThat(parse("{'model_type':'xLSTM','num_blocks':3}").numLayers()).isEqualTo(3);
    }

    @Test
    void refusesAConfigWithoutAnyFieldOfAnXlstm() {
        assertThatThrownBy(() -> XlstmConfig.of(JsonObject.parse(
                        Path.of("config.json"),
                        "{\"n_blocks\":3,\"vocab_size\":8011}".getBytes(StandardCharsets.UTF_8))))
                .isInstanceOf(ModelException.class)
                .hasMessageStartingWith("config.json: is not an xLSTM config")
                .hasMessageContaining("xlstm runs xLSTM models only");
    }

    @ParameterizedTest
    @CsvSource({
        "position_embeddings, 'rot_1d', true",
        "position_embeddings, 'none', false",
        "position_embeddings, false, false",
        "bidirectional, true, true",
        "bidirectional, false, false",
        "bidirectional_alternating, true, true",
        "rcps, true, true",
        "mlstm_return_last_state, true, true",
        "mlstm_return_qkv, false, false",
        "sliding_window, 128, true",
        "sliding_window, null, false",
        "add_qk_norm, true, true",
    })
    void refusesSettingsThatChangeTheArithmetic(String field, String value, boolean unsupported) throws Exception {
        String shown = value.matches("true|false|null|\\d+") ? value : "'" + value + "'";
        for (String json : new String[] {
            "{'" + field + "':" + shown + "}",
            "{'vocab_size':9,'slstm_block':{},'" + field + "':" + shown + "}",
            "{'vocab_size':9,'slstm_block':{'slstm':{'" + field + "':" + shown + "}}}",
        }) {
            if (unsupported) {
                refused(json, field + "\" is ");
            } else {
                assertThat(parse(json)).isNotNull();
            }
        }
    }

    @Test
    void nullIsNoCapAndAbsenceTheDefault() throws Exception {
        XlstmConfig config = parse("{'gate_soft_cap':null,'output_logit_soft_cap':12.5}");
        assertThat(config.large().orElseThrow().gateSoftCap()).isZero();
        assertThat(config.outputLogitSoftCap()).isEqualTo(12.5f);
        refused("{'gate_soft_cap':0}", "write null for no cap");
    }

    @Test
    void longChunksAreShortened() throws Exception {
        assertThat(parse("{'chunk_size':1000000}").chunkSize()).isEqualTo(1024);
    }

    @Test
    void namesOtherArchitectures() {
        refused("{'model_type':'llama','hidden_size':64}", "\"model_type\" is \"llama\"; xlstm runs xLSTM models only");
        refused(
                "{'model_type':'xllama','architectures':['xLlamaForCausalLM']}",
                "\"model_type\" is \"xllama\" (\"xLlamaForCausalLM\"); xlstm runs xLSTM models only");
    }

    @Test
    void refusesValuesThatMakeNoSense() {
        refused("{'num_heads':3}", "makes a layer 2048 wide, which \"num_heads\" 3 does not divide");
        refused("{'num_heads':0}", "\"num_heads\" is 0, not a whole number from 1");
        refused("{'hidden_size':-64}", "\"hidden_size\" is -64, not a whole number");
        refused("{'hidden_size':64.0}", "not a whole number");
        refused("{'hidden_size':'64'}", "not a whole number");
        refused("{'hidden_size':18446744073709551680}", "not a whole number");
        refused("{'hidden_size':1e9}", "not a whole number");
        refused("{'vocab_size':4294967297}", "not a whole number");
        refused("{'qk_dim_factor':1e999}", "not a number from 0.0 to 1024.0");
        refused("{'qk_dim_factor':0.0001}", "\"qk_dim_factor\" makes a layer 0.4096 wide");
        refused("{'ffn_proj_factor':1000}", "\"ffn_proj_factor\" makes a layer");
        refused("{'norm_eps':-1e-6}", "\"norm_eps\" is -");
        refused("{'norm_eps':NaN}", "is not valid JSON");
        refused("{'use_bias':'no'}", "\"use_bias\" is \"no\", not true or false");
        refused("{'hidden_size':64,'hidden_size':64}", "is not valid JSON (line 1): Duplicate");
        refused("[]", "is not a JSON object");
        refused("{} {}", "has more text after its closing brace");
        refused("", "is not");
        refused("{'hidden_size':" + "[".repeat(300) + "]".repeat(300) + "}", "\"hidden_size\" is an array, not");
        refused("{'x':[" + "[],".repeat(1 << 20) + "[]]}", "holds more than 1048576 values");
        refused("{'hidden_size':1048576,'num_heads':1,'num_blocks':4096,'ffn_proj_factor':0.5}", "asks for a state of");
    }

    @Test
    void readsFilesOfAReasonableSize(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("config.json");
        assertThatThrownBy(() -> XlstmConfig.read(file)).hasMessage(file + ": no such file");
        Files.writeString(file, " ".repeat(17 << 20));
        assertThatThrownBy(() -> XlstmConfig.read(file)).hasMessageContaining("is larger than");
        Files.writeString(file, "{\"num_blocks\":5}");
        assertThat(XlstmConfig.read(file).numLayers()).isEqualTo(5);
        assertThatThrownBy(() -> XlstmConfig.read(directory)).hasMessageContaining("is not a regular file");
    }
}
