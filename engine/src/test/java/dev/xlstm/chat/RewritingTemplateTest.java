package dev.xlstm.chat;

import dev.xlstm.chat.Conversation.Storage;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.xlstm.sampling.SamplingParameter.MIN_P;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_K;
import static dev.xlstm.sampling.SamplingParameter.TOP_P;
import static org.assertj.core.api.Assertions.assertThat;

/** Templates that render earlier turns in other words than the model has read: the conversation goes on all the same. */
class RewritingTemplateTest {

    private static final String END = "<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
    private static final String BLANK_BEFORE_ANSWER =
            "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}<|user|>{{ m.content }}<|end|>{% else %}"
                    + "<|assistant|>{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}"
                    + "{% if add_generation_prompt %}<|assistant|>{% endif %}";
    private static final String HINT_IN_LAST_QUESTION =
            "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{% if loop.last and m.role == 'user' %}(short) "
                    + "{% endif %}{{ m.content | trim }}" + END;
    private static final String ANSWER_CUT_AT_FIRST_E =
            "{% for m in messages %}{% set text = m.content %}{% if m.role == 'assistant' and 'e' in text %}"
                    + "{% set text = text.split('e')[-1].lstrip() %}{% endif %}<|{{ m.role }}|>{{ text }}" + END;
    private static final String ONLY_THE_LAST_MESSAGE =
            "{% for m in messages %}<|{{ m.role }}|>" + "{{ m.content if loop.last else '...' }}" + END;
    private static final String TURNS_COUNTED =
            "{{ messages | length }} messages{% for m in messages %}" + "<|{{ m.role }}|>{{ m.content }}" + END;
    private static final String NO_MESSAGE_BUT_THE_LAST_TWO =
            "{% for m in messages[-3:] %}<|{{ m.role }}|>{{ m.content }}" + END;
    private static final String TRIMMED = "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}" + END;

    private static final GenerationListener SILENT = new GenerationListener() {};
    private static final GenerationOptions WILD = GenerationOptions.defaults()
            .withMaxTokens(12)
            .withSampling(SamplingOptions.defaults()
                    .withSeed(5)
                    .with(TEMPERATURE, 2)
                    .with(TOP_K, 0)
                    .with(TOP_P, 1)
                    .with(MIN_P, 0));

    private static TextModel model;

    @TempDir
    private Path directory;

    @BeforeAll
    static void open() throws IOException {
        model = TextModel.open(Path.of("..", "test-data", "demo-model"));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private Conversation conversation(ChatTemplate template) throws IOException {
        return new Conversation(model, template, null, null, null, new Storage(1 << 20, directory, 1 << 30));
    }

    private static float[] logits(Conversation conversation) {
        try (TextSession memory = conversation.memory(conversation.head())) {
            return memory.session().logits().clone();
        }
    }

    private static String readBefore(Turn turn) {
        return SnapshotKey.asked(turn).text();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                BLANK_BEFORE_ANSWER,
                HINT_IN_LAST_QUESTION,
                ANSWER_CUT_AT_FIRST_E,
                ONLY_THE_LAST_MESSAGE,
                TURNS_COUNTED,
                NO_MESSAGE_BUT_THE_LAST_TWO,
                TRIMMED
            })
    void everyPromptIsTheRenderingOfAllMessages(String source) throws IOException {
        ChatTemplate template =
                new ChatTemplate(source, Map.of("bos_token", "<|endoftext|>", "eos_token", "<|endoftext|>"));
        List<Message> messages = new ArrayList<>();
        List<String> prompts = new ArrayList<>();
        float[] last;
        try (Conversation conversation = conversation(template)) {
            for (int i = 0; i < 6; i++) {
                Turn turn = conversation.say("Question " + i + "?", WILD, SILENT);
                messages.add(Message.of("user", "Question " + i + "?"));
                String rendered =
                        template.render(messages, true, LocalDateTime.now()).toString();
                assertThat(readBefore(turn)).isEqualTo(rendered);
                int[] ids = turn.ids();
                String fed = model.tokenizer().orElseThrow().decode(ids);
                assertThat(fed.replaceFirst("^<\\|endoftext\\|>", ""))
                        .isEqualTo((rendered + turn.answer().text()).replaceFirst("^<\\|endoftext\\|>", ""));
                assertThat(turn.position()).isEqualTo(ids.length);
                messages.add(Message.of("assistant", turn.answer().text()));
                prompts.add(rendered);
            }
            ConversationFile.save(conversation, directory);
            last = logits(conversation);
        }
        // the same states again from the ids alone
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
                Files.delete(file);
            }
        }
        try (Conversation resumed = ConversationFile.open(directory).resume(model, template, 0, 0)) {
            assertThat(logits(resumed)).containsExactly(last);
            List<String> again = resumed.head().path().stream()
                    .filter(Turn::isExchange)
                    .map(RewritingTemplateTest::readBefore)
                    .toList();
            assertThat(again).isEqualTo(prompts);
            messages.add(Message.of("user", "One more?"));
            Turn turn = resumed.say("One more?", WILD, SILENT);
            assertThat(readBefore(turn))
                    .isEqualTo(
                            template.render(messages, true, LocalDateTime.now()).toString());
        }
    }

    @Test
    void onlyWhatFollowsTheCommonPartIsReadAgain() throws IOException {
        ChatTemplate template = new ChatTemplate(ANSWER_CUT_AT_FIRST_E, Map.of());
        try (Conversation conversation = conversation(template)) {
            Turn first = conversation.say("Hello there, my friend!", WILD, SILENT);
            conversation.say("How?", WILD.withSampling(SamplingOptions.greedy()), SILENT);
            Turn third = conversation.say("Why?", WILD, SILENT);
            assertThat(third.prompt().base().position())
                    .isGreaterThan(SnapshotKey.asked(first).position());
        }
    }

    @Test
    void aConversationThatIsReadAgainHasTheStateOfOneThatReadsItAtOnce() throws IOException {
        ChatTemplate template = new ChatTemplate(TURNS_COUNTED, Map.of());
        try (Conversation conversation = conversation(template);
                TextSession fresh = model.newSession()) {
            conversation.say("Hello!", WILD, SILENT);
            Turn second = conversation.say("Why?", WILD, SILENT);
            assertThat(second.prompt().base().position()).isZero();
            fresh.feed(second.prompt().ids());
            fresh.session().logits();
            Snapshots.replay(SnapshotKey.after(second), fresh, SILENT);
            assertThat(fresh.session().logits()).containsExactly(logits(conversation));
        }
    }

    @Test
    void documentsAreReadAgainToo() throws IOException {
        ChatTemplate template = new ChatTemplate(TURNS_COUNTED, Map.of());
        try (Conversation conversation = conversation(template)) {
            conversation.read("a.txt", new StringReader("One <|end|> fact."), SILENT);
            conversation.say("Which?", WILD, SILENT);
            conversation.read("b.txt", new StringReader("Two."), SILENT);
            Turn turn = conversation.say("And?", WILD, SILENT);
            String fed = model.tokenizer().orElseThrow().decode(turn.ids());
            assertThat(fed)
                    .startsWith("<|endoftext|>3 messages<|user|>One <|end|> fact.\n\nWhich?<|end|><|assistant|>")
                    .contains("<|user|>Two.\n\nAnd?<|end|><|assistant|>");
            int user = model.tokenizer().orElseThrow().id("<|user|>").orElseThrow();
            assertThat(turn.ids()).contains(user);
        }
    }

    @Test
    void theListenerHearsOfAllThatIsReadAgain() throws IOException {
        ChatTemplate template = new ChatTemplate(TURNS_COUNTED, Map.of());
        try (Conversation conversation = conversation(template)) {
            conversation.say("Hello! ".repeat(200), WILD, SILENT);
            List<Integer> done = new ArrayList<>();
            Turn second = conversation.say("Why?", WILD, new GenerationListener() {
                @Override
                public void prefill(int read, int total) {
                    done.add(read);
                }
            });
            assertThat(done)
                    .isSorted()
                    .hasSizeGreaterThan(2)
                    .endsWith(second.prompt().ids().length);
        }
    }
}
