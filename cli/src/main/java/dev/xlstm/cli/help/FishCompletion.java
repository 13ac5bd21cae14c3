package dev.xlstm.cli.help;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Writes a completion script for fish: a {@code complete} line for each command and flag. */
final class FishCompletion {

    private FishCompletion() {}

    static String script(CommandSpec program) {
        String name = program.name();
        StringBuilder script =
                new StringBuilder("# completions of " + name + " for fish\ncomplete -c " + name + " -f\n");
        program.subcommands().forEach((command, line) -> {
            CommandSpec spec = line.getCommandSpec();
            complete(script, name, "__fish_use_subcommand")
                    .append(" -a ")
                    .append(command)
                    .append(" -d ")
                    .append(quoted(firstSentence(spec.usageMessage().description())))
                    .append('\n');
            String within = "__fish_seen_subcommand_from " + command;
            spec.options().forEach(option -> option(script, name, within, option));
            if (!spec.positionalParameters().isEmpty()) {
                complete(script, name, within).append(" -F\n");
            }
            for (String nested : line.getSubcommands().keySet()) {
                complete(script, name, within).append(" -a ").append(nested).append('\n');
            }
        });
        program.options().forEach(option -> option(script, name, "__fish_use_subcommand", option));
        return script.toString();
    }

    private static StringBuilder complete(StringBuilder script, String name, String condition) {
        return script.append("complete -c ").append(name).append(" -n ").append(quoted(condition));
    }

    private static void option(StringBuilder script, String name, String condition, OptionSpec option) {
        complete(script, name, condition);
        for (String spelled : option.names()) {
            script.append(spelled.startsWith("--") ? " -l " : " -s ").append(spelled.replaceFirst("^-+", ""));
        }
        if (option.arity().max() > 0) {
            script.append(option.arity().min() > 0 ? " -r" : "");
            StringBuilder values = new StringBuilder();
            if (option.completionCandidates() != null) {
                option.completionCandidates()
                        .forEach(value ->
                                values.append(values.isEmpty() ? "" : " ").append(value));
            }
            if (!values.isEmpty()) {
                script.append(" -a ").append(quoted(values.toString()));
            } else if (option.paramLabel().contains("FILE")
                    || option.paramLabel().equals("MODEL")) {
                script.append(" -F");
            }
        }
        script.append(" -d ")
                .append(quoted(firstSentence(option.description())))
                .append('\n');
    }

    private static String firstSentence(String[] description) {
        return description.length == 0 ? "" : description[0].split("(?<=[.:;]) ", 2)[0].replaceFirst("[.:;]$", "");
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
