package dev.xlstm.generation;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.SpecialTokens;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmConfig.NormKind;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model that says what a test wants: after n ids, id {@code n} of its script is the most likely one by a small margin,
 * the others are equal. Ids are bytes; {@link #BOS} and {@link #EOS} are special, {@link #PADDING} has no token.
 */
final class ScriptedModel implements LoadedModel {

    static final int BOS = 256;
    static final int EOS = 257;
    static final int PADDING = 258;
    static final int VOCAB = 259;

    private final int[] script;

    private ScriptedModel(int[] script) {
        this.script = script;
    }

    /** With a tokenizer, and a bos token if asked. The script is what follows after the first id, again and again. */
    static TextModel text(Path directory, boolean bos, int... script) throws IOException {
        return new TextModel(null, new ScriptedModel(script), tokenizer(directory), special(bos));
    }

    static TextModel idsOnly(int... script) {
        return new TextModel(null, new ScriptedModel(script), null, special(false));
    }

    private static SpecialTokens special(boolean bos) {
        return new SpecialTokens(bos ? OptionalInt.of(BOS) : OptionalInt.empty(), bos, Set.of(EOS));
    }

    /** The UTF-8 bytes of a text, as ids. */
    static int[] bytes(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xff;
        }
        return ids;
    }

    /** A tokenizer.json with the 256 bytes and no merges; a byte's id is its value. */
    static Tokenizer tokenizer(Path directory) throws IOException {
        StringBuilder vocab = new StringBuilder();
        int next = 256; // GPT-2's alphabet shows bytes that do not print as U+0100 and up, in order
        for (int b = 0; b < 256; b++) {
            boolean prints = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            int shown = prints ? b : next++;
            vocab.append(String.format("%s\"\\u%04x\":%d", b == 0 ? "" : ",", shown, b));
        }
        String special = "{\"id\":%d,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                + "\"normalized\":false,\"special\":true}";
        Path file = directory.resolve("tokenizer.json");
        Files.writeString(
                file,
                "{\"version\":\"1.0\",\"added_tokens\":[" + String.format(special, BOS, "<s>") + ","
                        + String.format(special, EOS, "</s>")
                        + "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
                        + "\"trim_offsets\":true,\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\"},"
                        + "\"model\":{\"type\":\"BPE\",\"vocab\":{" + vocab + "},\"merges\":[]}}");
        return Tokenizer.load(file);
    }

    @Override
    public XlstmConfig config() {
        BlockConfig block = new BlockConfig.Large(1, 4, 8, 8, 15, 1e-6f, true);
        return new XlstmConfig(8, VOCAB, List.of(block), NormKind.RMS, 1e-6f, false, false, 30, 16);
    }

    @Override
    public int maxRows() {
        return 64;
    }

    @Override
    public State newState() {
        return new Position();
    }

    @Override
    public void forward(Batch batch, float[] logits) {
        int row = 0;
        for (int chunk = 0; chunk < batch.chunks(); chunk++) {
            Position position = (Position) batch.state(chunk);
            position.value += batch.start(chunk + 1) - batch.start(chunk);
            if (batch.logitRows(chunk) > 0) {
                Arrays.fill(logits, row * VOCAB, (row + 1) * VOCAB, 0);
                logits[row * VOCAB + script[(int) ((position.value - 1) % script.length)]] = 1;
                row++;
            }
        }
    }

    @Override
    public void close() {}

    /** How many ids have been read. */
    private static final class Position implements State {
        private long value;

        @Override
        public long byteSize() {
            return 8;
        }

        @Override
        public void reset() {
            value = 0;
        }

        @Override
        public void copyFrom(State other) {
            value = ((Position) other).value;
        }

        @Override
        public void write(MemorySegment target) {
            target.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        }

        @Override
        public void read(MemorySegment source) {
            value = source.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
        }

        @Override
        public void close() {}
    }
}
