package dev.xlstm.cli;

import dev.xlstm.cli.console.SpellingSuggestion;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Says what to type instead of arguments that a command does not take. */
final class UsageText {

    /** Commands that take one text, which people forget to quote. */
    private static final Set<String> TEXT_COMMANDS = Set.of("generate", "prime", "score", "tokenize");

    private UsageText() {}

    /** The message for arguments that match neither a flag nor a parameter. */
    static String unmatched(CommandLine line, List<String> arguments) {
        CommandSpec command = line.getCommandSpec();
        for (String argument : arguments) {
            if (argument.startsWith("-") && argument.length() > 1) {
                return unknownFlag(command, argument);
            }
        }
        String first = arguments.getFirst();
        if (!command.subcommands().isEmpty()) {
            return unknownCommand(command, first);
        }
        String typed = quoted(typed(line.getParseResult(), arguments));
        if (command.name().equals("chat")) {
            return "chat takes no text: type the question in the chat, or answer one with xlstm chat --once " + typed;
        }
        if (TEXT_COMMANDS.contains(command.name())) {
            return command.name() + " takes one text: put it in quotes, as in xlstm " + command.name() + " " + typed;
        }
        return "unexpected argument '" + first + "'";
    }

    /** The message for a name that is not a command. */
    static String unknownCommand(CommandSpec parent, String name) {
        String all = "there are " + String.join(", ", parent.subcommands().keySet());
        boolean isText = parent.parent() == null && name.contains(" ");
        String otherwise = isText ? "to continue a text, type xlstm generate " + quoted(name) : all;
        return "no command '" + name + "'" + (parent.parent() == null ? "" : " of " + parent.name()) + "; "
                + (isText
                        ? otherwise
                        : SpellingSuggestion.hint(name, parent.subcommands().keySet(), otherwise));
    }

    private static String unknownFlag(CommandSpec command, String typed) {
        String name = typed.replaceFirst("=.*", "");
        List<String> names = new ArrayList<>();
        for (OptionSpec option : command.options()) {
            names.add(option.longestName());
        }
        String help = "see " + command.qualifiedName() + " --help";
        String hint = name.startsWith("--") ? SpellingSuggestion.hint(name, names, help) : help;
        boolean isText = name.contains(" ");
        return "unknown flag '" + name + "'; " + (isText ? "put -- before a text that begins with a dash" : hint);
    }

    private static String typed(ParseResult parsed, List<String> unmatched) {
        List<String> words = new ArrayList<>();
        if (parsed != null) {
            for (ArgSpec positional : parsed.matchedPositionals()) {
                words.addAll(positional.originalStringValues());
            }
        }
        words.addAll(unmatched);
        return String.join(" ", words);
    }

    /** As a shell takes it for one word. */
    private static String quoted(String text) {
        return text.matches(".*[\"$`\\\\!].*") ? "'" + text.replace("'", "'\\''") + "'" : "\"" + text + "\"";
    }
}
