package dev.xlstm.session;

import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.chat.ChatTemplate;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.Turn;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.model.Fingerprint;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.safetensors.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Values that are not finite end a session: models whose embedding of one id is NaN. */
class NonFiniteTest {

    private static final Path DATA = Path.of("..", "test-data");
    private static final int BAD = 13;

    @TempDir
    private Path directory;

    /** A copy of a model whose embedding of one id is NaN. */
    private Path damaged(Path model, int id) throws IOException {
        Path copy = Files.createDirectories(directory.resolve("damaged"));
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        Path weights = copy.resolve("model.safetensors");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(weights)).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) bytes.getLong(0);
        JsonNode tensor = JsonMapper.shared()
                .readTree(Arrays.copyOfRange(bytes.array(), 8, 8 + header))
                .get("backbone.embeddings.weight");
        int begin = 8 + header + tensor.get("data_offsets").get(0).asInt();
        int end = 8 + header + tensor.get("data_offsets").get(1).asInt();
        int row = (end - begin) / tensor.get("shape").get(0).asInt();
        // all bits set is NaN in every floating-point format
        Arrays.fill(bytes.array(), begin + id * row, begin + (id + 1) * row, (byte) 0xFF);
        Files.write(weights, bytes.array());
        return copy;
    }

    private static int[] ids(int count, int badAt) {
        int[] ids = new int[count];
        Arrays.setAll(ids, i -> i == badAt ? BAD : i % BAD);
        return ids;
    }

    @Test
    void aSessionNamesTheTokenAndIsUnusable() throws Exception {
        try (ModelDirectory opened = ModelDirectory.open(damaged(DATA.resolve("fixtures/tiny-f32"), BAD));
                LoadedModel model = new CpuBackend().load(opened.weights(), 2);
                Session before = new Session(model);
                Session sound = new Session(model)) {
            sound.feed(ids(900, -1));
            float[] expected = sound.logits().clone();
            before.feed(ids(100, -1));

            Session lost = before.fork();
            // chunks of 256: the third contains the id, and no logits are read
            assertThatThrownBy(() -> lost.feed(ids(900, 555)))
                    .isInstanceOf(NonFiniteException.class)
                    .hasMessageContaining("after token 767 (they were finite before token 512)");
            assertThatThrownBy(lost::logits).isInstanceOf(NonFiniteException.class);
            assertThatThrownBy(() -> lost.feed(1)).isInstanceOf(NonFiniteException.class);
            assertThatThrownBy(lost::fork).isInstanceOf(NonFiniteException.class);
            Path file = directory.resolve("x.state");
            Fingerprint fingerprint = Fingerprint.of(opened.weights());
            assertThatThrownBy(() -> StateFile.write(file, lost, fingerprint, DType.F32, Map.of()))
                    .isInstanceOf(NonFiniteException.class);
            assertThat(file).doesNotExist();

            // the session that it was forked from continues, and can be copied into it
            lost.copyFrom(before);
            lost.feed(ids(900, -1), 100, 900);
            assertThat(lost.position()).isEqualTo(900);
            lost.logits();
            sound.feed(2);
            assertThat(sound.logits()).isNotEqualTo(expected);
            lost.close();
        }
    }

    @Test
    void verifyCountsFiniteRowsAndKeepNamesTheToken() throws Exception {
        try (ModelDirectory opened = ModelDirectory.open(damaged(DATA.resolve("fixtures/tiny-f32"), BAD));
                LoadedModel model = new CpuBackend().load(opened.weights(), 1);
                Session session = new Session(model);
                Session fed = new Session(model)) {
            session.feed(ids(7, -1));
            assertThat(session.verify(ids(5, 2), 0, 5)).isEqualTo(2);
            session.keep(2);
            fed.feed(ids(9, -1), 0, 7);
            fed.logits();
            assertThat(session.verify(ids(5, 0), 0, 5)).isZero();
            assertThatThrownBy(() -> session.keep(1)).hasMessageContaining("not finite after token 9;");
            assertThatThrownBy(session::logits).isInstanceOf(NonFiniteException.class);
            session.copyFrom(fed);
            assertThat(session.logits()).isEqualTo(fed.logits());
        }
    }

    @Test
    void aTokenByTokenSessionNamesTheToken() throws Exception {
        try (ModelDirectory opened = ModelDirectory.open(damaged(DATA.resolve("fixtures/tiny-f32"), BAD));
                LoadedModel model = new CpuBackend().load(opened.weights(), 1);
                Session session = new Session(model);
                Session scored = new Session(model)) {
            for (int id : ids(7, -1)) {
                session.feed(id);
                session.logits();
            }
            session.feed(BAD);
            assertThatThrownBy(session::logits).hasMessageContaining("not finite after token 7;");
            assertThatThrownBy(() -> scored.score(ids(70, 40), (index, logProbability) -> {}))
                    .hasMessageContaining("after token 63 (they were finite before token 32)");
        }
    }

    @Test
    void overflowInTheStateIsNoticed() throws Exception {
        try (ModelDirectory opened = ModelDirectory.open(DATA.resolve("fixtures/tiny-f32"));
                LoadedModel model = new CpuBackend().load(opened.weights(), 1);
                Session session = new Session(model);
                Arena arena = Arena.ofConfined()) {
            session.feed(1);
            session.logits();
            MemorySegment huge = arena.allocate(session.state.byteSize(), 4);
            for (long at = 0; at < huge.byteSize(); at += 4) {
                huge.set(ValueLayout.JAVA_FLOAT, at, 3e38f);
            }
            session.state.read(huge);
            session.feed(2);
            assertThatThrownBy(session::logits).isInstanceOf(NonFiniteException.class);
        }
    }

    @Test
    void aSessionIsUnusableAfterTheModelFails() throws Exception {
        try (ModelDirectory opened = ModelDirectory.open(DATA.resolve("fixtures/tiny-f32"));
                LoadedModel model = new CpuBackend().load(opened.weights(), 1)) {
            LoadedModel failing = (LoadedModel) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {LoadedModel.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("forward")) {
                            throw new OutOfMemoryError("as if");
                        }
                        return method.invoke(model, arguments);
                    });
            try (Session session = new Session(failing)) {
                session.feed(1);
                assertThatThrownBy(session::logits).isInstanceOf(OutOfMemoryError.class);
                assertThatThrownBy(session::logits)
                        .hasMessage("the session is unusable because the model failed: as if");
                assertThatThrownBy(session::fork).isInstanceOf(IllegalStateException.class);
            }
        }
    }

    @Test
    void aConversationKeepsWhatWasSaidBefore() throws Exception {
        Path demo = DATA.resolve("demo-model");
        GenerationOptions options = GenerationOptions.defaults().withMaxTokens(8);
        GenerationListener silent = new GenerationListener() {};
        int bad;
        try (TextModel model = TextModel.open(demo)) {
            bad = model.tokenizer().orElseThrow().encode("Z")[0];
        }
        try (TextModel model = TextModel.open(damaged(demo, bad));
                Conversation conversation = new Conversation(
                        model,
                        ChatTemplate.of(model),
                        null,
                        null,
                        null,
                        new Conversation.Storage(1 << 24, directory, 1 << 24))) {
            Turn first = conversation.say("Hello!", options, silent);
            float[] after;
            try (TextSession memory = conversation.memory(first)) {
                after = memory.session().logits().clone();
            }
            assertThatThrownBy(() -> conversation.say("Z", options, silent)).isInstanceOf(NonFiniteException.class);
            assertThat(conversation.head()).isSameAs(first);
            try (TextSession memory = conversation.memory(first)) {
                assertThat(memory.session().logits()).isEqualTo(after);
            }
            assertThat(conversation
                            .say("What sound does a cow make?", options, silent)
                            .answer()
                            .text())
                    .isNotEmpty();
        }
    }
}
