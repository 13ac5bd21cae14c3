package dev.xlstm.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The commands of a chat: their names, what they take, and what the help says. */
enum SlashCommands {
    UNDO("[N]", "take back the last turn, or the last N"),
    RETRY("", "have the last question answered again"),
    EDIT_LAST("", "change your last words and send them again"),
    EDIT("", "write in $VISUAL or $EDITOR"),
    FORK("NAME", "begin a branch here and go on with it"),
    SWITCH("NAME", "go on with another branch"),
    BRANCHES("", "draw the tree of turns and branches"),
    DELETE("NAME", "forget a branch"),
    SYSTEM("[TEXT]", "begin anew with a system prompt; without TEXT, show it"),
    RESET("", "begin anew; what was said stays as a branch"),
    READ("FILE", "read a text to talk about, of any size"),
    SET("[NAME [VALUE]]", "change a setting; without NAME, show them"),
    SHOW("", "show the conversation so far"),
    STATS("", "show tokens, speed and memory"),
    BENCH("", "measure this machine"),
    SAVE("[FILE]", "write a transcript: JSON to FILE.json, else Markdown"),
    SESSIONS("", "list saved sessions"),
    LOAD("ID", "go on with a saved session"),
    HELP("", "show this"),
    EXIT("", "leave; Ctrl-D, too");

    private static final Map<String, SlashCommands> BY_NAME = new LinkedHashMap<>();

    static {
        for (SlashCommands command : values()) {
            BY_NAME.put(command.word(), command);
        }
    }

    private final String argument;
    private final String help;

    SlashCommands(String argument, String help) {
        this.argument = argument;
        this.help = help;
    }

    /** As it is typed. */
    String word() {
        return "/" + name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }

    static Set<String> words() {
        return BY_NAME.keySet();
    }

    /**
     * @throws IllegalArgumentException if there is no such command
     */
    static SlashCommands of(String word) {
        SlashCommands command = BY_NAME.get(word);
        if (command == null) {
            throw new IllegalArgumentException(
                    "no command " + word + "; /help lists them (a blank before / sends it as text)");
        }
        return command;
    }

    boolean needsArgument() {
        return argument.startsWith("N") || argument.startsWith("F") || argument.startsWith("I");
    }

    static String table() {
        StringBuilder table = new StringBuilder();
        for (SlashCommands command : values()) {
            table.append(String.format("  %-24s %s%n", command.word() + " " + command.argument, command.help));
        }
        return table.append(
                        "\n  \"\"\" begins and ends a text of several lines; \\ at the end of a line goes on in the next.\n")
                .append("  Ctrl-C stops an answer and keeps what is there; Tab completes.\n")
                .toString();
    }

    String usage() {
        return word() + " " + argument;
    }
}
