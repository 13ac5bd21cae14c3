package dev.xlstm.model;

import dev.xlstm.tensor.Activation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Configs of the original models: what they mean, and what is refused. */
class BlockStackTest {

    private static XlstmConfig json(String text) throws ModelException {
        return XlstmConfig.of(
                JsonObject.parse(Path.of("config.json"), text.replace('\'', '"').getBytes(StandardCharsets.UTF_8)));
    }

    private static XlstmConfig yaml(String text) throws ModelException {
        return XlstmConfig.of(JsonObject.parse(Path.of("config.yaml"), text.getBytes(StandardCharsets.UTF_8)));
    }

    private static void refused(String text, String complaint) {
        assertThatThrownBy(() -> json(text))
                .as(text)
                .isInstanceOf(ModelException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContaining(complaint);
    }

    @Test
    void defaultsAreThePackages() throws Exception {
        XlstmConfig config = json("{'vocab_size':7,'num_blocks':3,'mlstm_block':{},'slstm_block':{},'slstm_at':[-1]}");
        BlockConfig mlstm = new BlockConfig.Mlstm(4, 256, 4, 4, false);
        BlockConfig slstm =
                new BlockConfig.Slstm(4, 128, 4, true, new BlockConfig.FeedForward(192, Activation.GELU, false));
        assertThat(config.blocks()).containsExactly(mlstm, mlstm, slstm);
        assertThat(config.hiddenSize()).isEqualTo(128);
        assertThat(config.norm()).isEqualTo(XlstmConfig.NormKind.LAYER);
        assertThat(config.normEps()).isEqualTo(1e-5f);
        assertThat(config.outputLogitSoftCap()).isZero();
        assertThat(config.stateBytes()).isEqualTo(4L * (2 * (4 * (64 * 64 + 64 + 1) + 3 * 256) + 4 * 128 + 3 * 128));
    }

    @Test
    void theFileTellsTheKindsOfBlocks() throws Exception {
        String head = "{'vocab_size':7,'num_blocks':2,";
        assertThat(kinds(json(head + "'slstm_block':{}}"))).containsExactly("sLSTM", "sLSTM");
        assertThat(kinds(json(head + "'mlstm_block':{},'slstm_block':{},'slstm_at':'all'}")))
                .containsExactly("sLSTM", "sLSTM");
        assertThat(kinds(json(head + "'mlstm_block':{},'slstm_block':null,'slstm_at':[]}")))
                .containsExactly("mLSTM", "mLSTM");
        assertThat(kinds(json(head + "'mlstm_block':{},'slstm_block':{},'slstm_at':[0]}")))
                .containsExactly("sLSTM", "mLSTM");
        assertThat(kinds(json("{'vocab_size':7,'_xlstm_config':" + head + "'slstm_block':{}}}")))
                .containsExactly("sLSTM", "sLSTM");
        refused(head + "'mlstm_block':{},'slstm_block':{},'slstm_at':[2]}", "\"slstm_at\" is 2");
        refused(head + "'mlstm_block':{},'slstm_at':[1]}", "\"slstm_block\" is missing");
        refused("{'num_blocks':2,'slstm_block':{}}", "\"vocab_size\" is missing");
    }

    private static List<String> kinds(XlstmConfig config) {
        return config.blocks().stream().map(BlockConfig::kind).toList();
    }

    /** The reference's double arithmetic, its artefacts included. */
    @ParameterizedTest
    @CsvSource({
        "80, 2.0, 64, 192",
        "64, 1.3, 64, 128",
        "96, 1.3, 64, 128",
        "128, 1.3, 64, 192",
        "512, 1.3, 64, 704",
        "768, 1.3, 64, 1024",
        "1024, 1.3, 64, 1344",
        "800, 1.1, 16, 896"
    })
    void widthsAreRoundedAsTheReferenceDoes(int width, double factor, int multiple, int expected) throws Exception {
        XlstmConfig config = json("{'vocab_size':7,'embedding_dim':" + width + ",'slstm_block':{'feedforward':"
                + "{'proj_factor':" + factor + ",'round_proj_up_to_multiple_of':" + multiple + "}}}");
        BlockConfig.Slstm block = (BlockConfig.Slstm) config.blocks().getFirst();
        assertThat(block.feedForward().size()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"100, 128", "60, 64", "4, 4"})
    void theSizeOfQkvBlocksDividesTheWidth(int wanted, int block) throws Exception {
        XlstmConfig config = json("{'vocab_size':7,'embedding_dim':64,'mlstm_block':{'mlstm':{'qkv_proj_blocksize':"
                + wanted + "}}}".replace("}}}", "}},'slstm_at':[]}"));
        assertThat(((BlockConfig.Mlstm) config.blocks().getFirst()).qkvBlockSize())
                .isEqualTo(block);
    }

    @Test
    void aFeedForwardLayerIsLeftOutOnlyIfTheFileSaysSo() throws Exception {
        assertThat(slstm("{}").feedForward()).isNotNull();
        assertThat(slstm("{'feedforward':{}}").feedForward()).isNotNull();
        assertThat(slstm("{'feedforward':null}").feedForward()).isNull();
        assertThat(slstm("{'slstm':{'num_heads':0}}").numHeads()).isEqualTo(1);
        assertThat(slstm("{'slstm':{'conv1d_kernel_size':0}}").state()).hasSize(4);
    }

    private static BlockConfig.Slstm slstm(String block) throws ModelException {
        return (BlockConfig.Slstm)
                json("{'vocab_size':7,'slstm_block':" + block + "}").blocks().getFirst();
    }

    @Test
    void complaintsNameThePlace() {
        String slstm = "{'vocab_size':7,'slstm_block':";
        String mlstm = "{'vocab_size':7,'embedding_dim':64,'slstm_at':[],'mlstm_block':{'mlstm':";
        refused(slstm + "{'slstm':{'function':'lstm'}}}", "\"slstm_block.slstm.function\" is 'lstm'");
        refused(slstm + "{'slstm':{'num_heads':3}}}", "\"slstm_block.slstm.num_heads\" is 3, which does not divide");
        refused(slstm + "{'feedforward':{'act_fn':'tanh'}}}", "there are swish, gelu, relu, relu^2, sigmoid, selu");
        refused(slstm + "{'feedforward':{'ff_type':'ffn'}}}", "only 'ffn_gated'");
        refused(slstm + "3}", "\"slstm_block\" is 3, not an object");
        refused(mlstm + "{'qkv_proj_blocksize':5}}}", "does not divide the width 128");
        refused(mlstm + "{'qkv_proj_blocksize':129}}}", "does not divide the width 128");
        refused(mlstm + "{'num_heads':3}}}", "\"num_heads\" 3 does not divide");
        refused(mlstm + "{'conv1d_kernel_size':0}}}", "\"mlstm_block.mlstm.conv1d_kernel_size\" is 0");
        refused(
                "{'vocab_size':7,'num_blocks':4096,'embedding_dim':524288,'mlstm_block':{},'slstm_at':[]}",
                "asks for a state of");
    }

    /** An experiment's file: the tree is one part of it, and refers to another. */
    @Test
    void yamlOfAnExperiment(@TempDir Path directory) throws Exception {
        String text = """
                training:
                  lr: 0.001
                  lr_decay_until_steps: ${.num_steps}
                model:
                  num_blocks: 2
                  embedding_dim: 64
                  mlstm_block:
                    mlstm:
                      num_heads: 1
                  slstm_block: {}
                  slstm_at: [1]
                  context_length: ${dataset.kwargs.context_length}
                  vocab_size: ${dataset.kwargs.vocab_size}
                dataset:
                  kwargs:
                    vocab_size: 3
                    context_length: 256
                """;
        XlstmConfig config = yaml(text);
        assertThat(kinds(config)).containsExactly("mLSTM", "sLSTM");
        assertThat(config.vocabSize()).isEqualTo(3);
        Files.writeString(directory.resolve("config.yaml"), text);
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.config()).isEqualTo(config);
            assertThat(model.trainingContext()).isEqualTo(256);
        }
        assertThatThrownBy(() -> yaml(text.replace("kwargs.vocab", "kwargs.words")))
                .hasMessage("config.yaml: \"model.vocab_size\" is ${dataset.kwargs.words_size},"
                        + " which is no value of this file");
        assertThatThrownBy(() -> yaml("model: [")).hasMessageStartingWith("config.yaml: is not valid YAML");
        assertThatThrownBy(() -> yaml("- 1")).hasMessage("config.yaml: is not a YAML mapping");
    }

    /** NX-AI's package of xLSTM large writes YAML, too. */
    @Test
    void yamlOfXlstmLarge() throws Exception {
        assertThat(yaml("embedding_dim: 4096\nnum_blocks: 32\nnorm_eps: 1e-6\n"))
                .isEqualTo(json("{'embedding_dim':4096,'num_blocks':32}"));
    }
}
