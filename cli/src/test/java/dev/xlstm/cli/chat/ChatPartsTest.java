package dev.xlstm.cli.chat;

import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.ByteSizeConverter;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.sampling.SamplingParameter;
import java.util.Random;
import org.jline.reader.EOFError;
import org.jline.reader.Parser.ParseContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What a chat is made of, without a model or a terminal. */
class ChatPartsTest {

    private static final ChatLineParser TYPED = new ChatLineParser(line -> false);

    private static String printed(String... pieces) {
        StringBuilder out = new StringBuilder();
        AnswerPrinter printer = new AnswerPrinter(out::append);
        for (String piece : pieces) {
            printer.print(piece);
        }
        printer.end();
        return out.toString();
    }

    @Test
    void answersLoseTheWhiteSpaceAroundThemAndNoLineFeedIsAdded() {
        assertThat(printed(" one two th", "ree four \n")).isEqualTo("one two three four\n");
        assertThat(printed("\n", " \n a\n\n  indented", "\n", "\n")).isEqualTo("a\n\n  indented\n");
        assertThat(printed("word ".repeat(100))).isEqualTo("word ".repeat(99) + "word\n");
        assertThat(printed("   ", "\n")).isEmpty();
        assertThat(printed()).isEmpty();
    }

    @Test
    void controlSequencesAreShown() {
        assertThat(printed("a\u001b[2Jb\u0007\r\u009bc\u0000")).isEqualTo("a^[[2Jb^G^MM-^[c^@\n");
    }

    @Test
    void answersDoNotDependOnTheirPieces() {
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            // from all of Unicode, Latin letters, blanks and controls most often
            int[] codePoints = random.ints(random.nextInt(80), 0, Character.MAX_CODE_POINT + 1)
                    .map(c -> c >>> random.nextInt(21))
                    .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                    .toArray();
            String text = new String(codePoints, 0, codePoints.length);
            int at = text.offsetByCodePoints(0, random.nextInt(codePoints.length + 1));
            String whole = printed(text);
            assertThat(printed(text.substring(0, at), text.substring(at)))
                    .as("%s, cut at %d", text, at)
                    .isEqualTo(whole);
            assertThat(whole).isEqualTo(text.isBlank() ? "" : Streams.visible(text.strip()) + "\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\"\"", "\"\"\"open", "\"\"\"a\nb", "line\\", "  \"\"\"x"})
    void incompleteLines(String line) {
        assertThatThrownBy(() -> TYPED.parse(line, line.length(), ParseContext.ACCEPT_LINE))
                .isInstanceOf(EOFError.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "don't", "say \"hi\"", "a \\ b", "\"\"\"a\nb\"\"\"", "$(x) `y` !z ;", "(", "one\ntwo"})
    void completeLines(String line) {
        assertThat(TYPED.parse(line, line.length(), ParseContext.ACCEPT_LINE).line())
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
