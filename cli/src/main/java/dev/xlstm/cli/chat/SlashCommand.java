package dev.xlstm.cli.chat;

import dev.xlstm.cli.console.SpellingSuggestion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The commands of a chat: names, arguments and help. */
enum SlashCommand {
    UNDO("[N]", "take back the last turn, or the last N"),
    RETRY("", "answer the last question again", "/regen"),
    EDIT_LAST("", "change the last question and send it again"),
    EDIT("", "write in $VISUAL or $EDITOR"),
    FORK("NAME", "begin a branch here and switch to it"),
    SWITCH("NAME", "switch to another branch"),
    BRANCHES("", "draw the tree of turns and branches"),
    DELETE("NAME", "delete a branch"),
    SYSTEM("[TEXT]", "begin anew with a system prompt; without TEXT, show it"),
    RESET("", "begin anew; the turns so far stay as a branch", "/clear"),
    READ("FILE", "read a document of any size to talk about"),
    SET("[NAME [VALUE]]", "change a setting; without NAME, show them"),
    SHOW("", "show the conversation so far"),
    STATS("", "show tokens, speed and memory"),
    BENCH("", "measure this machine"),
    SAVE("[FILE]", "write a transcript: JSON to FILE.json, else Markdown"),
    NAME("[TEXT]", "name this session; without TEXT, show its name"),
    SESSIONS("", "list saved sessions"),
    LOAD("ID", "switch to a saved session, by id or name"),
    HELP("", "show this", "/?"),
    EXIT("", "leave; so do Ctrl-D, exit, quit and bye", "/quit", "/bye");

    /** The column where descriptions begin in the {@link #table}. */
    static final int TEXT_COLUMN = 23;

    private static final Map<String, SlashCommand> BY_WORD = new LinkedHashMap<>();

    static {
        for (SlashCommand command : values()) {
            BY_WORD.put(command.word(), command);
        }
        for (SlashCommand command : values()) {
            command.aliases.forEach(alias -> BY_WORD.put(alias, command));
        }
    }

    private final String argument;
    private final String help;
    private final List<String> aliases; // of other chat programs

    SlashCommand(String argument, String help, String... aliases) {
        this.argument = argument;
        this.help = help;
        this.aliases = List.of(aliases);
    }

    /** The command as it is typed. */
    String word() {
        return "/" + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** All commands and aliases as they are typed. */
    static Set<String> words() {
        return BY_WORD.keySet();
    }

    /**
     * @throws IllegalArgumentException if there is no such command
     */
    static SlashCommand of(String word) {
        SlashCommand command = BY_WORD.get(word.toLowerCase(Locale.ROOT));
        if (command == null) {
            throw new IllegalArgumentException(
                    "no command " + word + "; " + SpellingSuggestion.hint(word, words(), "/help lists them")
                            + " (a blank before / sends it as text)");
        }
        return command;
    }

    /**
     * @throws IllegalArgumentException with the usage, if it does not take this argument
     */
    void check(String given) {
        boolean needed = !argument.isEmpty() && !argument.startsWith("[");
        if (needed && given.isEmpty()) {
            throw new IllegalArgumentException("usage: " + usage());
        }
        if (argument.isEmpty() && !given.isEmpty()) {
            throw new IllegalArgumentException(word() + " takes nothing after it, such as '" + given + "'");
        }
    }

    String usage() {
        return (word() + " " + argument).strip();
    }

    static String table() {
        StringBuilder table = new StringBuilder();
        for (SlashCommand command : values()) {
            String also = command.aliases.isEmpty() ? "" : " (" + String.join(", ", command.aliases) + ")";
            table.append(String.format("  %-20s %s%s%n", command.usage(), command.help, also));
        }
        return table.append(
                        "\n  \"\"\" begins and ends a text of several lines; \\ at the end of a line continues it in the next.\n"
                                + "  A paste is sent as it is.\n")
                .append("  Ctrl-C stops an answer and keeps what is there; Tab completes.\n")
                .toString();
    }
}
