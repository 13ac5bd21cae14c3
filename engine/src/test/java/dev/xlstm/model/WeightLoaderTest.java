package dev.xlstm.model;

import dev.xlstm.safetensors.DType;
import dev.xlstm.tensor.WeightMatrix;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WeightLoaderTest {

    private static final String CELL = "backbone.blocks.1.mlstm_layer.";
    private static final String FFN = "backbone.blocks.1.ffn.";

    @TempDir
    Path directory;

    private final TestModel model = new TestModel();
    private final Map<String, TestModel.Stored> original = Map.copyOf(model.tensors);

    private static float[] values(WeightMatrix matrix) {
        float[] values = new float[matrix.rows() * matrix.columns()];
        for (int row = 0; row < matrix.rows(); row++) {
            matrix.unpack(row, 0, matrix.columns(), values, row * matrix.columns());
        }
        return values;
    }

    private void assertSameAsOriginal(XlstmWeights weights) {
        BlockWeights.Large layer = (BlockWeights.Large) weights.blocks().get(1);
        assertThat(values(layer.q().matrix()))
                .isEqualTo(original.get(CELL + "q.weight").values());
        assertThat(values(layer.k().matrix()))
                .isEqualTo(original.get(CELL + "k.weight").values());
        assertThat(values(layer.v().matrix()))
                .isEqualTo(original.get(CELL + "v.weight").values());
        assertThat(values(layer.outputGate().matrix()))
                .isEqualTo(original.get(CELL + "ogate_preact.weight").values());
        assertThat(values(layer.inputGate().matrix()))
                .isEqualTo(original.get(CELL + "igate_preact.weight").values());
        assertThat(layer.inputGate().bias())
                .isEqualTo(original.get(CELL + "igate_preact.bias").values());
        assertThat(values(layer.forgetGate().matrix()))
                .isEqualTo(original.get(CELL + "fgate_preact.weight").values());
        assertThat(layer.forgetGate().bias())
                .isEqualTo(original.get(CELL + "fgate_preact.bias").values());
        assertThat(layer.multiheadNorm().weight())
                .isEqualTo(original.get(CELL + "multihead_norm.weight").values());
        assertThat(values(layer.out().matrix()))
                .isEqualTo(original.get(CELL + "out_proj.weight").values());
        assertThat(values(layer.feedForward().gate().matrix()))
                .isEqualTo(original.get(FFN + "proj_up_gate.weight").values());
        assertThat(values(layer.feedForward().up().matrix()))
                .isEqualTo(original.get(FFN + "proj_up.weight").values());
        assertThat(values(layer.feedForward().down().matrix()))
                .isEqualTo(original.get(FFN + "proj_down.weight").values());
        assertThat(values(weights.embedding()))
                .isEqualTo(original.get("backbone.embeddings.weight").values());
        assertThat(values(weights.head().matrix()))
                .isEqualTo(original.get("lm_head.weight").values());
        assertThat(weights.outNorm().weight())
                .isEqualTo(original.get("backbone.out_norm.weight").values());
    }

    private void assertLoadsTheSame() throws Exception {
        try (ModelDirectory opened = ModelDirectory.open(model.write(directory))) {
            assertSameAsOriginal(opened.weights());
            assertThat(opened.unusedTensors()).isEmpty();
        }
    }

    private void refused(String complaint) throws Exception {
        try (ModelDirectory opened = ModelDirectory.open(model.write(directory))) {
            assertThatThrownBy(opened::weights)
                    .isInstanceOf(ModelException.class)
                    .hasMessageContaining(directory.toString())
                    .hasMessageContaining(complaint);
        }
    }

    @Test
    void everyTensorFindsItsPlace() throws Exception {
        assertLoadsTheSame();
    }

    @Test
    void takesOtherNames() throws Exception {
        model.rename("backbone.embeddings.weight", "embedding.weight");
        model.rename(CELL + "q.weight", CELL + "query.weight");
        model.rename(CELL + "k.weight", CELL + "key.weight");
        model.rename(CELL + "v.weight", CELL + "value.weight");
        assertLoadsTheSame();
    }

    /** Rows: q, k, v, o; i, f; gate, up. */
    @Test
    void takesFusedTensorsApart() throws Exception {
        for (int i = 0; i < 2; i++) {
            String cell = "backbone.blocks." + i + ".mlstm_layer.";
            String ffn = "backbone.blocks." + i + ".ffn.";
            model.fuse(
                    cell + "qkv_opreact.weight",
                    cell + "q.weight",
                    cell + "k.weight",
                    cell + "v.weight",
                    cell + "ogate_preact.weight");
            model.fuse(cell + "ifgate_preact.weight", cell + "igate_preact.weight", cell + "fgate_preact.weight");
            model.fuse(cell + "ifgate_preact.bias", cell + "igate_preact.bias", cell + "fgate_preact.bias");
            model.fuse(ffn + "proj_up_gate_z.weight", ffn + "proj_up_gate.weight", ffn + "proj_up.weight");
        }
        assertLoadsTheSame();
    }

    @Test
    void takesTheMultiheadNormByHeads() throws Exception {
        model.tensors.computeIfPresent(CELL + "multihead_norm.weight", (name, t) -> t.shaped(2, 4));
        assertLoadsTheSame();
        model.tensors.computeIfPresent(CELL + "multihead_norm.weight", (name, t) -> t.shaped(4, 2));
        refused("has the shape [4, 2], but the config asks for [2, 4]");
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void takesEveryFloatFormat(DType dtype) throws Exception {
        model.tensors.replaceAll((name, t) -> t.as(dtype));
        assertLoadsTheSame();
    }

    @Test
    void takesVectorsInDoublePrecisionButNoMatrices() throws Exception {
        model.tensors.replaceAll((name, t) -> t.shape().length == 1 ? t.as(DType.F64) : t);
        assertLoadsTheSame();
        model.tensors.computeIfPresent(CELL + "q.weight", (name, t) -> t.as(DType.F64));
        refused("model.safetensors: tensor '" + CELL + "q.weight' is F64; convert matrices to F32, F16 or BF16");
    }

    @Test
    void refusesIntegers() throws Exception {
        model.tensors.computeIfPresent(CELL + "igate_preact.bias", (name, t) -> t.as(DType.I32));
        refused("is I32; convert vectors to F32, F16 or BF16");
    }

    @Test
    void biasesAreReadOnlyWhereTheConfigHasThem() throws Exception {
        model.add(CELL + "q.bias", TestModel.QK);
        try (ModelDirectory opened = ModelDirectory.open(model.write(directory))) {
            assertThat(opened.weights().blocks().get(1).linears().getFirst().bias())
                    .isNull();
            assertThat(opened.unusedTensors()).containsExactly(CELL + "q.bias");
        }
        model.config.put("use_bias", true);
        refused("21 tensors are missing: backbone.blocks.0.mlstm_layer.q.bias, ");
    }

    /** A stored head counts, as in transformers; a missing one is the embedding if the config ties it. */
    @Test
    void tiesTheHead() throws Exception {
        model.config.put("tie_word_embeddings", true);
        assertLoadsTheSame();
        try (ModelDirectory opened = ModelDirectory.open(directory)) {
            assertThat(opened.remarks())
                    .containsExactly(
                            "the stored head counts, although tie_word_embeddings is true, as in transformers");
        }
        model.tensors.remove("lm_head.weight");
        try (ModelDirectory opened = ModelDirectory.open(model.write(directory))) {
            assertThat(opened.weights().head().matrix())
                    .isSameAs(opened.weights().embedding());
            long stored =
                    original.values().stream().mapToLong(t -> t.values().length).sum();
            assertThat(opened.weights().parameterCount()).isEqualTo(stored - TestModel.V * TestModel.H);
        }
        model.config.put("tie_word_embeddings", false);
        refused("1 tensor is missing: lm_head.weight");
    }

    /** Absent only where the config allows it; used wherever it is. */
    @Test
    void theFinalNormIsThereIfItsTensorIs() throws Exception {
        model.config.put("add_out_norm", false);
        assertLoadsTheSame();
        model.tensors.remove("backbone.out_norm.weight");
        try (ModelDirectory opened = ModelDirectory.open(model.write(directory))) {
            assertThat(opened.weights().outNorm()).isNull();
        }
        model.config.put("add_out_norm", true);
        refused("1 tensor is missing: backbone.out_norm.weight");
    }

    @Test
    void namesMissingTensors() throws Exception {
        model.config.put("num_hidden_layers", 3);
        refused("15 tensors are missing: backbone.blocks.2.mlstm_layer.q.weight, ");
        model.config.put("num_hidden_layers", 2);
        model.tensors.remove(CELL + "fgate_preact.bias");
        refused("1 tensor is missing: " + CELL + "fgate_preact.bias; config.json belongs to another model");
    }

    @Test
    void comparesEveryShapeWithTheConfig() throws Exception {
        for (String name : original.keySet()) {
            model.tensors.clear();
            model.tensors.putAll(original);
            long[] wrong = {1, original.get(name).values().length};
            model.tensors.computeIfPresent(name, (n, t) -> t.shaped(wrong));
            refused("model.safetensors: tensor '" + name + "' has the shape [1, " + wrong[1]
                    + "], but the config asks for [");
        }
        model.tensors.replaceAll((n, t) -> t.shaped(1, t.values().length));
        refused("(and " + (original.size() - 1) + " more such tensors)");
    }
}
