package dev.xlstm.cli.model;

import dev.xlstm.backend.StateLayout;
import dev.xlstm.backend.StateLayout.Part;
import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.XlstmConfig;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.core.JsonGenerator;

/** Describes the blocks of a model for {@code xlstm inspect}. */
record StackDescription(XlstmConfig config) {

    /** The lines of the table by their names. */
    Map<String, String> rows() {
        Map<String, String> rows = new LinkedHashMap<>();
        if (config.large().isPresent()) {
            BlockConfig.Large block = config.large().get();
            rows.put(
                    "shape",
                    text(
                            "%d blocks, width %d, feed-forward %d",
                            config.numLayers(), config.hiddenSize(), block.ffnSize()));
            rows.put("heads", text("%d, each q/k %d, v %d", block.numHeads(), block.qkHeadSize(), block.vHeadSize()));
            rows.put("soft caps", text("gates %s, logits %s", block.gateSoftCap(), config.outputLogitSoftCap()));
            rows.put("norm eps", text("%s; mLSTM eps %s", config.normEps(), block.eps()));
        } else {
            rows.put("shape", text("%s: %d blocks, width %d", ratio(), config.numLayers(), config.hiddenSize()));
            rows.put("sLSTM blocks", slstmAt().isEmpty() ? "none" : "at " + numbers(slstmAt()));
            config.blocks().stream().distinct().forEach(block -> rows.put(block.kind(), shape(block)));
        }
        Map<String, Long> parts = new LinkedHashMap<>();
        for (Part part : StateLayout.of(config).parts()) {
            parts.merge(stateName(part), part.byteSize(), Long::sum);
        }
        rows.put(
                "state parts",
                parts.entrySet().stream()
                        .map(part -> part.getKey() + " " + ByteSize.text(part.getValue()))
                        .collect(Collectors.joining(", ")));
        return rows;
    }

    private String stateName(Part part) {
        return config.large().isPresent() ? part.name() : kind(part) + " " + part.name();
    }

    private String kind(Part part) {
        return config.blocks().get(part.block()).kind();
    }

    private static String shape(BlockConfig block) {
        if (block instanceof BlockConfig.Mlstm m) {
            return text(
                    "inner width %d, %d heads of %d, q/k/v in blocks of %d, convolution over %d tokens",
                    m.innerSize(), m.numHeads(), m.headSize(), m.qkvBlockSize(), m.convKernel());
        }
        BlockConfig.Slstm s = (BlockConfig.Slstm) block;
        String conv = s.convKernel() == 0 ? "no convolution" : text("convolution over %d tokens", s.convKernel());
        String ffn = s.feedForward() == null
                ? "no feed-forward"
                : text(
                        "feed-forward %d (%s)",
                        s.feedForward().size(),
                        s.feedForward().activation().name().toLowerCase(Locale.ROOT));
        return text("%d heads of %d, %s, %s", s.numHeads(), s.headSize(), conv, ffn);
    }

    /** The ratio of mLSTM to sLSTM blocks in the notation of the xLSTM paper: xLSTM[7:1]. */
    private String ratio() {
        int slstm = slstmAt().size();
        int mlstm = config.numLayers() - slstm;
        int divisor = BigInteger.valueOf(mlstm).gcd(BigInteger.valueOf(slstm)).intValue();
        return "xLSTM[" + mlstm / divisor + ":" + slstm / divisor + "]";
    }

    private List<Integer> slstmAt() {
        return IntStream.range(0, config.numLayers())
                .filter(i -> config.blocks().get(i) instanceof BlockConfig.Slstm)
                .boxed()
                .toList();
    }

    private static String numbers(List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /** Writes the properties of {@code config} in JSON output. */
    void writeConfig(JsonGenerator out) {
        out.writeNumberProperty("hidden_size", config.hiddenSize());
        out.writeNumberProperty("num_layers", config.numLayers());
        out.writeNumberProperty("vocab_size", config.vocabSize());
        if (config.large().isPresent()) {
            BlockConfig.Large block = config.large().get();
            out.writeNumberProperty("num_heads", block.numHeads());
            out.writeNumberProperty("qk_size", block.qkSize());
            out.writeNumberProperty("v_size", block.vSize());
            out.writeNumberProperty("ffn_size", block.ffnSize());
            out.writeNumberProperty("gate_soft_cap", block.gateSoftCap());
            out.writeNumberProperty("output_logit_soft_cap", config.outputLogitSoftCap());
            out.writeNumberProperty("eps", block.eps());
        } else {
            out.writeStringProperty("stack", ratio());
            JsonOutput.ids(out, "slstm_at", slstmAt().stream().mapToInt(i -> i).toArray());
        }
        out.writeNumberProperty("norm_eps", config.normEps());
        out.writeNumberProperty("chunk_size", config.chunkSize());
    }

    /** Writes the parts of the state in JSON output. */
    void writeState(JsonGenerator out) {
        out.writeArrayPropertyStart("state");
        for (Part part : StateLayout.of(config).parts()) {
            long[] shape = part.info().shape();
            out.writeStartObject();
            out.writeNumberProperty("block", part.block());
            out.writeStringProperty("kind", kind(part));
            out.writeStringProperty("part", part.name());
            out.writeName("shape");
            out.writeArray(shape, 0, shape.length);
            out.writeNumberProperty("bytes", part.byteSize());
            out.writeEndObject();
        }
        out.writeEndArray();
    }
}
