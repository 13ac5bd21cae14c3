package dev.xlstm.cli.chat;

import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.SessionStore;
import dev.xlstm.cli.console.ErrorText;
import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.UserInterruptException;

/** Reads lines until the user leaves: questions for the model, and commands. */
final class ChatRepl {

    private static final Set<String> FAREWELLS = Set.of("exit", "quit", "bye");

    private final ChatTerminal terminal;
    private final TurnRunner turns;
    private final ChatCommands commands;
    private final ChatLineReader reader;
    private String draft; // what the next line begins with: the last question, to be changed; null for nothing

    /** @param history file of lines typed, null for none */
    ChatRepl(ChatTerminal terminal, TurnRunner turns, ChatCommands commands, SessionStore store, Path history) {
        this.terminal = terminal;
        this.turns = turns;
        this.commands = commands;
        Map<String, Object> variables = new HashMap<>();
        variables.put(LineReader.SECONDARY_PROMPT_PATTERN, ". ");
        variables.put(LineReader.BELL_STYLE, "none");
        if (history != null) {
            variables.put(LineReader.HISTORY_FILE, history);
        }
        reader = new ChatLineReader(terminal.terminal(), variables);
        reader.setCompleter(new ChatCompleter(() -> conversation().branches().keySet(), () -> ids(store)));
    }

    private Conversation conversation() {
        return turns.session().conversation();
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
        boolean ended = false; // the input, just now, and not by a key
        while (goesOn) {
            String text = draft;
            draft = null;
            try {
                String branch = conversation().branch();
                String prompt = branch.equals(Conversation.MAIN) ? "> " : Streams.visible(branch) + "> ";
                String line = reader.read(prompt, text);
                ended = false;
                goesOn = take(line, text != null);
            } catch (UserInterruptException e) {
                ended = false;
                terminal.note("(Ctrl-D or /exit leaves)");
            } catch (EndOfFileException e) {
                // a Ctrl-C that comes as reading begins looks like the end of the input, once; not on a dumb terminal,
                // where
                // Ctrl-D has no key of its own
                goesOn = !terminal.isDumb() && !ended && !reader.endedByKey();
                ended = true;
                draft = text;
            } catch (IOException | IllegalStateException | IllegalArgumentException e) {
                terminal.complain(ErrorText.describe(e));
            }
        }
    }

    /**
     * Does what a line says.
     *
     * @param changed whether the line replaces the last question
     * @return false to leave
     */
    private boolean take(String line, boolean changed) throws IOException {
        boolean literal = reader.isLiteral(line);
        String text = literal ? line : ChatLineParser.text(line);
        if (text.isBlank()) {
            return true;
        } else if (!literal && line.startsWith("/")) {
            String[] words = text.split("\\s+", 2);
            SlashCommand command = SlashCommand.of(words[0]);
            if (command == SlashCommand.EXIT) {
                return false;
            }
            draft = commands.run(command, words.length == 1 ? "" : words[1].strip());
        } else if (!literal && FAREWELLS.contains(line)) {
            terminal.note("(left the chat; with a blank in front, '" + line + "' goes to the model)");
            return false;
        } else if (changed) {
            turns.sayInstead(text);
        } else {
            turns.say(text);
        }
        return true;
    }
}
