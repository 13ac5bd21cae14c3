package dev.xlstm.chat;

import dev.xlstm.chat.Conversation.Storage;
import dev.xlstm.chat.Turn.Kind;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * All commands in random order, each followed by a comparison of ledger, tree and memory with a replay that shares nothing
 * with the snapshots. {@code -Dxlstm.chat.turns=500} makes it an hour's talk.
 */
class LongConversationTest {

    private static final int TURNS = Integer.getInteger("xlstm.chat.turns", 40);
    private static final long MEMORY = 3 * 200_000; // a few snapshots: most are on disk
    private static final long DISK = 20 * 220_000; // and the oldest are not even there
    private static final GenerationListener SILENT = new GenerationListener() {};
    private static final List<String> SAYINGS =
            List.of("Hello!", "Why?", "What is 3 plus 4?", "My name is Tom.", "<|end|> ok", "Grüße 😀", " ");

    @TempDir
    private Path root;

    private final Random random = new Random(20261123);
    private final Map<String, List<String>> expected = new LinkedHashMap<>(); // of each branch, what was said
    private final Map<Integer, TextSession> replays = new HashMap<>(); // by the turn's id
    private final Map<String, Integer> done = new LinkedHashMap<>(); // how often what was done
    private TextModel model;
    private ChatTemplate template;
    private TextSession state; // the conversation begins after; null for nothing
    private Conversation conversation;
    private Path directory;
    private int turns;

    @BeforeEach
    void open() throws IOException {
        model = TextModel.open(Path.of("..", "test-data", "demo-model"));
        template = ChatTemplate.of(model);
        directory = Files.createDirectory(root.resolve("0"));
    }

    @AfterEach
    void close() {
        conversation.close();
        replays.values().forEach(TextSession::close);
        if (state != null) {
            state.close();
        }
        model.close();
    }

    @Test
    void fromNothing() throws IOException {
        begin();
        talk(TURNS);
    }

    @Test
    void afterAState() throws IOException {
        state = model.newSession();
        state.feed("Tom has a red ball. The dog has it now.");
        begin();
        talk(TURNS / 2);
    }

    private void begin() throws IOException {
        conversation =
                new Conversation(model, template, state, "ball.state", null, new Storage(MEMORY, directory, DISK));
        expected.put(Conversation.MAIN, List.of());
    }

    private void talk(int count) throws IOException {
        int onDisk = 0;
        for (int step = 0; turns < count; step++) {
            String command = step(step);
            done.merge(command, 1, Integer::sum);
            check();
            onDisk = Math.max(onDisk, conversation.snapshotsOnDisk());
            if (step % 16 == 0) {
                conversation.awaitStorage();
                assertThat(conversation.takeStorageFailure()).isNull();
                assertThat(bytesOnDisk()).isLessThanOrEqualTo(DISK);
            }
        }
        System.Logger log = System.getLogger(LongConversationTest.class.getName());
        log.log(System.Logger.Level.DEBUG, "{0} turns: {1}", turns, done);
        assertThat(conversation.turns().size()).isGreaterThan(3);
        assertThat(onDisk).isGreaterThan(Math.min(10, count / 10));
    }

    private long bytesOnDisk() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    /** Does something and notes what should have come of it; returns what it was. */
    private String step(int step) throws IOException {
        String branch = conversation.branch();
        List<String> said = new ArrayList<>(expected.get(branch));
        boolean answered = conversation.head().kind() == Kind.EXCHANGE;
        String saying = SAYINGS.get(random.nextInt(SAYINGS.size()));
        String other = List.copyOf(expected.keySet()).get(random.nextInt(expected.size()));
        int dice = random.nextInt(100);
        String command;
        if (dice < 34) {
            command = "say";
            conversation.say(saying, options(1 + random.nextInt(5)), SILENT);
            said.add(saying);
            turns++;
        } else if (dice < 38) {
            command = "stop writing";
            int[] pieces = {1 + random.nextInt(4)};
            conversation.say(saying, options(50), new GenerationListener() {
                @Override
                public void text(String piece) {
                    pieces[0]--;
                }

                @Override
                public boolean cancelled() {
                    return pieces[0] <= 0;
                }
            });
            said.add(saying);
            turns++;
        } else if (dice < 42) {
            command = "stop reading";
            Turn before = conversation.head();
            assertThat(conversation.say(saying, options(5), new GenerationListener() {
                        @Override
                        public boolean cancelled() {
                            return true;
                        }
                    }))
                    .isNull();
            assertThat(conversation.head()).isSameAs(before);
        } else if (dice < 48) {
            command = "read";
            conversation.read("f" + step, new StringReader("fact ".repeat(random.nextInt(30))), SILENT);
            said.add("f" + step);
            turns++;
        } else if (dice < 58) {
            command = "undo";
            int n = 1 + random.nextInt(3);
            conversation.undo(n);
            said = said.subList(0, Math.max(0, said.size() - n));
        } else if (dice < 65 && answered) {
            command = "retry";
            conversation.retry(options(3), SILENT);
            turns++;
        } else if (dice < 70 && answered) {
            command = "say instead";
            conversation.sayInstead(saying, options(3), SILENT);
            said.set(said.size() - 1, saying);
            turns++;
        } else if (dice < 76 && expected.size() < 6) {
            command = "fork";
            branch = "b" + step;
            conversation.fork(branch);
        } else if (dice < 84) {
            command = "switch";
            branch = other;
            conversation.switchTo(branch);
            said = new ArrayList<>(expected.get(branch));
        } else if (dice < 90 && !other.equals(branch)) {
            command = "delete";
            conversation.delete(other);
            expected.remove(other);
        } else if (dice < 93) {
            command = "restart";
            String kept = conversation.restart(dice == 90 ? null : "Be brief.");
            if (kept != null) {
                expected.put(kept, List.copyOf(said));
            }
            said.clear();
        } else if (dice < 96) {
            command = "leave and continue";
            ConversationFile.save(conversation, directory);
            conversation.close();
            conversation = ConversationFile.open(directory).resume(model, template, MEMORY, DISK);
        } else {
            command = "crash and continue";
            ConversationFile.save(conversation, directory);
            crash(step);
        }
        expected.put(branch, List.copyOf(said));
        assertThat(conversation.branch()).isEqualTo(branch);
        return command;
    }

    /** Goes on from what is on disk at this moment, while memories may still be on their way there. */
    private void crash(int step) throws IOException {
        Path copy = Files.createDirectory(root.resolve(Integer.toString(step + 1)));
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                try {
                    Files.copy(file, copy.resolve(file.getFileName()));
                } catch (NoSuchFileException e) {
                    // has got its name in the meantime
                }
            }
        }
        conversation.close();
        directory = copy;
        conversation = ConversationFile.open(directory).resume(model, template, MEMORY, DISK);
    }

    private static GenerationOptions options(int tokens) {
        SamplingOptions sampling = SamplingOptions.defaults().withSeed(7);
        return GenerationOptions.defaults().withMaxTokens(tokens).withSampling(sampling);
    }

    private void check() {
        assertThat(conversation.branches().keySet()).containsExactlyInAnyOrderElementsOf(expected.keySet());
        conversation
                .branches()
                .forEach((name, head) -> assertThat(head.path().stream()
                                .filter(turn -> turn.kind() == Kind.EXCHANGE || turn.kind() == Kind.DOCUMENT)
                                .map(Turn::text))
                        .isEqualTo(expected.get(name)));
        Turn head = conversation.head();
        String text = SnapshotKey.after(head).text();
        for (Turn turn : head.path()) {
            if (turn.kind() == Kind.DOCUMENT) {
                text = text.replace(
                        Placeholder.of(turn.id()),
                        model.tokenizer().orElseThrow().decode(turn.documentIds()));
            }
            replays.computeIfAbsent(turn.id(), id -> replayed(turn));
        }
        if (state != null) {
            text = text.replaceFirst(
                    "^<\\|endoftext\\|>", ""); // a template may write it; behind a state it is not read
        }
        assertThat(model.tokenizer().orElseThrow().decode(head.ids())).isEqualTo(text);
        TextSession replayed = replays.get(head.id());
        try (TextSession memory = conversation.memory(head)) {
            assertThat(memory.position()).isEqualTo(head.position()).isEqualTo(replayed.position());
            if (head.position() > 0) {
                try (TextSession copy = replayed.fork()) {
                    assertThat(memory.session().logits())
                            .containsExactly(copy.session().logits());
                }
            }
        }
    }

    private TextSession replayed(Turn turn) {
        TextSession session;
        if (turn.kind() == Kind.STATE) {
            return state.fork();
        } else if (turn.parent() == null) {
            session = model.newSession();
        } else {
            session = replays.get(turn.parent().id()).fork();
        }
        if (turn.isExchange()) {
            Snapshots.replay(SnapshotKey.asked(turn), session, SILENT);
        }
        Snapshots.replay(SnapshotKey.after(turn), session, SILENT);
        return session;
    }
}
