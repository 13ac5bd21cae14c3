package dev.xlstm.cli.chat;

import dev.xlstm.chat.Conversation;
import dev.xlstm.cli.console.ErrorText;
import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jline.keymap.KeyMap;
import org.jline.reader.Binding;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReader.Option;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.LineReaderImpl;

/** Reads lines until the user leaves: words for the model, and commands. */
final class ChatRepl {

    private final ChatTerminal terminal;
    private final ChatTalk talk;
    private final ChatCommands commands;
    private final LineReader reader;
    private String draft; // what the next line begins with: the last words, to be changed; null for nothing

    /** @param history file of lines typed, null for none */
    ChatRepl(ChatTerminal terminal, ChatTalk talk, ChatCommands commands, SessionStore store, Path history) {
        this.terminal = terminal;
        this.talk = talk;
        this.commands = commands;
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal.terminal())
                .parser(new ChatLineParser())
                .completer(new ChatCompleter(() -> conversation().branches().keySet(), () -> ids(store)))
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, ". ")
                .variable(LineReader.BELL_STYLE, "none")
                .option(Option.DISABLE_EVENT_EXPANSION, true);
        if (history != null) {
            builder.variable(LineReader.HISTORY_FILE, history);
        }
        reader = builder.build();
        takeArrowsOfAnyMode(reader.getKeyMaps().get(LineReader.MAIN));
    }

    /** Some terminals send keys as in normal mode though they were asked for those of application mode. */
    private static void takeArrowsOfAnyMode(KeyMap<Binding> keys) {
        for (char key : "ABCDHF".toCharArray()) {
            Binding bound = keys.getBound("\u001bO" + key);
            if (bound != null) {
                keys.bind(bound, "\u001b[" + key);
            }
        }
    }

    private Conversation conversation() {
        return talk.session().conversation();
    }

    private static List<String> ids(SessionStore store) {
        try {
            return store.list().stream()
                    .map(path -> path.getFileName().toString())
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    void run() {
        boolean goesOn = true;
        boolean ended = false; // by something other than a key, just now
        while (goesOn) {
            String changed = draft;
            draft = null;
            try {
                String branch = conversation().branch();
                String prompt = branch.equals(Conversation.MAIN) ? "> " : Streams.visible(branch) + "> ";
                String line = reader.readLine(prompt, null, (Character) null, changed);
                ended = false;
                goesOn = take(line, changed != null);
            } catch (UserInterruptException e) {
                ended = false;
                terminal.note("(Ctrl-D or /exit leaves)");
            } catch (EndOfFileException e) {
                // a Ctrl-C that comes as the reading begins looks like the end of the input, once
                goesOn = !ended && !"\u0004".equals(((LineReaderImpl) reader).getLastBinding());
                ended = true;
                draft = changed;
            } catch (IOException | IllegalStateException | IllegalArgumentException e) {
                terminal.complain(ErrorText.describe(e));
            }
        }
    }

    /**
     * Does what a line says; false to leave.
     *
     * @param changed whether it was to take the place of what was said last
     */
    private boolean take(String line, boolean changed) throws IOException {
        String text = ChatLineParser.text(line);
        if (line.startsWith("/")) {
            String[] words = text.split("\\s+", 2);
            SlashCommand command = SlashCommand.of(words[0]);
            if (command == SlashCommand.EXIT) {
                return false;
            }
            draft = commands.run(command, words.length == 1 ? "" : words[1].strip());
        } else if (!text.isEmpty() && changed) {
            talk.sayInstead(text);
        } else if (!text.isEmpty()) {
            talk.say(text);
        }
        return true;
    }
}
