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
        String text = json.replace('\'', '"');
        return XlstmConfig.of(JsonObject.parse(Path.of("config.json"), text.getBytes(StandardCharsets.UTF_8)));
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

    @Test
    void takesEitherNameAndRefusesContradictions() throws Exception {
        assertThat(parse("{'hidden_size':64,'embedding_dim':64}").hiddenSize()).isEqualTo(64);
        assertThat(parse("{'embedding_dim':64,'hidden_size':null}").hiddenSize())
                .isEqualTo(64);
        assertThat(parse("{'num_blocks':3}").numLayers()).isEqualTo(3);
        assertThat(parse("{'num_hidden_layers':3}").numLayers()).isEqualTo(3);
        refused("{'hidden_size':64,'embedding_dim':128}", "\"hidden_size\" and \"embedding_dim\" differ");
        refused("{'num_hidden_layers':2,'num_blocks':3}", "\"num_hidden_layers\" and \"num_blocks\" differ");
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
        refused("{'model_type':'llama'}", "\"model_type\" is 'llama'; only 'xlstm' is supported");
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
        refused("{} {}", "goes on after its closing brace");
        refused("", "is not");
        refused("{'hidden_size':" + "[".repeat(300) + "]".repeat(300) + "}", "\"hidden_size\" is an array, not");
        refused("{'x':[" + "[],".repeat(1 << 20) + "[]]}", "holds more than 1048576 values");
        refused(
                "{'hidden_size':1048576,'num_heads':1,'num_blocks':4096,'ffn_proj_factor':0.5}",
                "no such model is known");
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
