package dev.xlstm.cli.chat;

import dev.xlstm.chat.ConversationFile;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.console.WordWrap;
import dev.xlstm.cli.options.ByteSizeConverter;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.sampling.SamplingParameter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.jline.reader.EOFError;
import org.jline.reader.Parser.ParseContext;
import org.jline.utils.WCWidth;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What a chat is made of, without a model or a terminal. */
class ChatPartsTest {

    private static String printed(int width, String... pieces) {
        StringBuilder out = new StringBuilder();
        WordWrap printer = new WordWrap(out::append, () -> width, WCWidth::wcwidth);
        for (String piece : pieces) {
            printer.print(piece);
        }
        printer.end();
        return out.toString();
    }

    @Test
    void wordsThatDoNotFitGoToTheNextLine() {
        assertThat(printed(12, " one two th", "ree four")).isEqualTo("one two\nthree four\n");
        assertThat(printed(0, "one two three four five six")).isEqualTo("one two three four five six\n");
        assertThat(printed(12, "a\n\n  indented")).isEqualTo("a\n\n  indented\n");
        assertThat(printed(12, "abcdefghijklmnopqrstuvw x")).isEqualTo("abcdefghijk\nlmnopqrstuv\nw x\n");
        assertThat(printed(12, "日本語日本語日本語")).isEqualTo("日本語日本\n語日本語\n");
        assertThat(printed(80, "   ")).isEmpty();
    }

    @Test
    void controlSequencesAreShown() {
        assertThat(printed(80, "a\u001b[2Jb\u0007\r\u009bc\u0000")).isEqualTo("a^[[2Jb^G^MM-^[c^@\n");
    }

    @Test
    void nothingButBlanksAndLineEndsDependsOnPiecesAndWidth() {
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            // from all of Unicode, Latin letters, blanks and controls most often
            int[] codePoints = random.ints(random.nextInt(80), 0, Character.MAX_CODE_POINT + 1)
                    .map(c -> c >>> random.nextInt(21))
                    .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                    .toArray();
            String text = new String(codePoints, 0, codePoints.length);
            int at = text.offsetByCodePoints(0, random.nextInt(codePoints.length + 1));
            int width = random.nextInt(61);
            String whole = printed(width, text);
            assertThat(printed(width, text.substring(0, at), text.substring(at)))
                    .as("%s, cut at %d, width %d", text, at, width)
                    .isEqualTo(whole);
            assertThat(whole.replaceAll("[ \\n\\t]", ""))
                    .isEqualTo(Streams.visible(text).replaceAll("[ \\n\\t]", ""));
            assertThat(whole.codePoints().filter(c -> c != '\n')).noneMatch(Character::isISOControl);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\"\"", "\"\"\"open", "\"\"\"a\nb", "line\\", "  \"\"\"x"})
    void incompleteLines(String line) {
        assertThatThrownBy(() -> new ChatLineParser().parse(line, line.length(), ParseContext.ACCEPT_LINE))
                .isInstanceOf(EOFError.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "don't", "say \"hi\"", "a \\ b", "\"\"\"a\nb\"\"\"", "$(x) `y` !z ;", "(", "one\ntwo"})
    void completeLines(String line) {
        assertThat(new ChatLineParser()
                        .parse(line, line.length(), ParseContext.ACCEPT_LINE)
                        .line())
                .isEqualTo(line);
    }

    @Test
    void textOfLines() {
        assertThat(ChatLineParser.text("\"\"\"\none\n  two\n\"\"\"")).isEqualTo("one\n  two");
        assertThat(ChatLineParser.text("one\\\ntwo")).isEqualTo("one\ntwo");
        assertThat(ChatLineParser.text("  a \"b\" \\n ")).isEqualTo("a \"b\" \\n");
    }

    @Test
    void settings() {
        ChatSettings settings = new ChatSettings(GenerationOptions.defaults());
        settings.set("temperature", "0.7");
        settings.set("max-tokens", "-1");
        settings.set("stop", "END");
        assertThat(settings.options().sampling().get(SamplingParameter.TEMPERATURE))
                .isEqualTo(0.7f);
        assertThat(settings.options().maxTokens()).isEqualTo(-1);
        assertThat(settings.options().stop()).containsExactly("END");
        assertThat(settings.table()).contains("temperature        0.7").contains("stop               END");
        for (String name : ChatSettings.names()) {
            if (!name.equals("stop")) {
                assertThatThrownBy(() -> settings.set(name, "many"))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage(name + " takes a number, not 'many'");
            }
        }
        assertThatThrownBy(() -> settings.set("top-p", "7")).hasMessageContaining("top-p must be");
        assertThatThrownBy(() -> settings.set("heat", "7")).hasMessageStartingWith("no setting 'heat'; there are ");
    }

    @ParameterizedTest
    @CsvSource({"0,0", "100,100", "512M,536870912", "2G,2147483648", "1.5k,1536", "3MiB,3145728", "1GB,1073741824"})
    void sizes(String text, long bytes) {
        assertThat(new ByteSizeConverter().convert(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "M", "-1", "many", "1X", "NaN"})
    void noSizes(String text) {
        assertThatThrownBy(() -> new ByteSizeConverter().convert(text)).hasMessageContaining("is no size such as");
    }

    @Test
    void everyCommandIsInTheHelpAndKnown() {
        for (String word : SlashCommand.words()) {
            assertThat(SlashCommand.table())
                    .contains("  " + SlashCommand.of(word).word());
            assertThat(SlashCommand.table()).contains(word);
        }
        assertThat(SlashCommand.words()).contains("/undo", "/edit-last", "/branches");
    }

    @Test
    void whatWasMeantIsSuggested() {
        assertThatThrownBy(() -> SlashCommand.of("/exti"))
                .hasMessageContaining("no command /exti; did you mean /exit?");
        assertThatThrownBy(() -> SlashCommand.of("/br")).hasMessageContaining("did you mean /branches?");
        assertThatThrownBy(() -> SlashCommand.of("/nonsense")).hasMessageContaining("/help lists them");
        assertThat(SlashCommand.of("/BYE")).isEqualTo(SlashCommand.EXIT);
        assertThatThrownBy(() -> new ChatSettings(GenerationOptions.defaults()).set("temprature", "1"))
                .hasMessage("no setting 'temprature'; did you mean temperature?");
    }

    @Test
    void commandsSayWhatTheyTake() {
        assertThatThrownBy(() -> SlashCommand.FORK.check("")).hasMessage("usage: /fork NAME");
        assertThatThrownBy(() -> SlashCommand.RESET.check("now"))
                .hasMessage("/reset takes nothing after it, such as 'now'");
        SlashCommand.UNDO.check("");
        SlashCommand.UNDO.check("2");
    }

    @Test
    void aSessionHasOneUserAtATime(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        Path session = store.create();
        try (FileChannel lock = SessionStore.lock(session)) {
            assertThat(lock.isOpen()).isTrue();
            assertThatThrownBy(() -> SessionStore.lock(session))
                    .hasMessage("session " + session.getFileName() + " is in use by another chat");
        }
        SessionStore.lock(session).close();
    }

    @Test
    void chatsThatBeginTogetherHaveSessionsOfTheirOwn(@TempDir Path state) {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        List<Path> sessions = IntStream.range(0, 64)
                .parallel()
                .mapToObj(i -> {
                    try {
                        return store.create();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .toList();
        assertThat(sessions).doesNotHaveDuplicates().allMatch(Files::isDirectory);
    }

    /** What is deleted while someone is about to go on with it is gone for both. */
    @Test
    void deletingAndComingTooLate(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        Path session = store.create();
        Files.writeString(ConversationFile.of(session), "{}");
        SessionStore.lock(session).close();
        SessionStore.delete(session);
        assertThat(session).doesNotExist();
        assertThatThrownBy(() -> SessionStore.lock(session))
                .hasMessage("session " + session.getFileName() + " is gone: it has just been deleted");
    }

    /** Times from years when the clock was wrong do not decide which session is the last. */
    @Test
    void theSessionUsedLastIsTheOneSavedLastWhateverTheClockSays(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        List<Path> sessions = new ArrayList<>();
        for (String time : List.of("2040-01-02T00:00:00Z", "2040-01-01T00:00:00Z", "1970-01-02T00:00:00Z")) {
            Path session = store.create();
            Files.writeString(ConversationFile.of(session), "{}");
            Files.setLastModifiedTime(ConversationFile.of(session), FileTime.from(Instant.parse(time)));
            sessions.add(session);
        }
        assertThat(store.list()).isEqualTo(sessions);
        Path last = sessions.getLast();
        Files.writeString(ConversationFile.of(last), "{} ");
        SessionStore.markUsedLast(last);
        assertThat(store.list()).containsExactly(last, sessions.get(0), sessions.get(1));
        assertThat(store.find("")).isEqualTo(last);
        assertThat(SessionStore.lastUse(sessions.get(0)))
                .isLessThanOrEqualTo(Instant.now().toEpochMilli());
    }

    @Test
    void whatKilledChatsLeftIsSweptAfterADay(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        FileTime longAgo = FileTime.from(Instant.now().minus(Duration.ofDays(3)));
        Path abandoned = store.create();
        Path running = store.create();
        Path saved = store.create();
        Path recent = store.create();
        Files.writeString(saved.resolve("conversation.json"), "{}");
        Path left = Files.createFile(abandoned.resolve("turn-0.safetensors"));
        try (FileChannel lock = SessionStore.lock(running)) {
            assertThat(lock.isOpen()).isTrue();
            for (Path session : List.of(abandoned, running, saved)) {
                Files.setLastModifiedTime(session, longAgo);
            }
            store.create();
            assertThat(left).doesNotExist();
            assertThat(List.of(running, saved, recent)).allMatch(Files::isDirectory);
        }
    }

    @Test
    void sessionsAreFoundByTheBeginningOfTheirId(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        assertThatThrownBy(() -> store.find(null)).hasMessage("no saved session to continue");
        Path first = store.create();
        Path second = store.create();
        assertThat(second).isNotEqualTo(first);
        assertThat(store.list()).isEmpty(); // they hold no conversation yet
        for (Path session : List.of(first, second)) {
            Files.writeString(session.resolve("conversation.json"), "{}");
        }
        assertThat(store.find(second.getFileName().toString())).isEqualTo(second);
        assertThatThrownBy(() -> store.find("2")).hasMessageStartingWith("several sessions begin with '2'");
        assertThatThrownBy(() -> store.find("x")).hasMessageStartingWith("no session 'x'");
        SessionStore.delete(first);
        assertThat(store.list()).containsExactly(second);
    }

    @ParameterizedTest
    @ValueSource(ints = {20, 40, 60, 80, 200})
    void tablesFitAnyWidthAndLoseNoWord(int width) {
        String table = SlashCommand.table();
        String fitted = ChatTerminal.fitted(table, SlashCommand.TEXT_COLUMN, width);
        assertThat(fitted.lines()).allMatch(line -> line.length() < width);
        assertThat(fitted.split("\\s+")).containsExactly(table.split("\\s+"));
        if (width >= 60) {
            assertThat(fitted.lines())
                    .as("under each other")
                    .allMatch(line -> !line.startsWith("   ") || line.startsWith(" ".repeat(SlashCommand.TEXT_COLUMN)));
        }
    }
}
