package dev.xlstm.cli.help;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Writes the help of a command as a man page, in the man macros of roff. */
final class ManPage {

    private final CommandSpec command;
    private final StringBuilder page = new StringBuilder();

    ManPage(CommandSpec command) {
        this.command = command;
    }

    String roff() {
        String name = command.qualifiedName("-");
        String version = String.join(" ", command.root().version());
        String[] description = command.usageMessage().description();
        macro("TH", name.toUpperCase(Locale.ROOT), "1", "", version, "xlstm manual");
        macro("SH", "NAME");
        String summary = description[0].split("(?<=\\.) ", 2)[0].replaceFirst("\\.$", "");
        text(name + " \\- ", summary.substring(0, 1).toLowerCase(Locale.ROOT) + summary.substring(1));
        macro("SH", "SYNOPSIS");
        macro("B", command.qualifiedName());
        text("", command.subcommands().isEmpty() ? "[OPTION]..." + parameters() : "COMMAND [OPTION]...");
        macro("SH", "DESCRIPTION");
        for (String paragraph : description) {
            if (!paragraph.isEmpty()) {
                macro("PP");
                text("", paragraph);
            }
        }
        commands();
        arguments();
        options();
        if (command.parent() == null) {
            exitStatus();
            macro("SH", "ENVIRONMENT");
            text(
                    "",
                    "A variable XLSTM_ and the name of a flag, such as XLSTM_TOP_K, sets its default, as does a line in");
            text("", "$XDG_CONFIG_HOME/xlstm/config.properties, by default ~/.config/xlstm/config.properties. See");
            text("", "xlstm-config(1).");
        }
        examples();
        macro("SH", "SEE ALSO");
        text("", command.parent() == null ? "xlstm-COMMAND(1), shown by: xlstm man COMMAND" : "xlstm(1)");
        return page.toString();
    }

    private String parameters() {
        StringBuilder parameters = new StringBuilder();
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            boolean required = parameter.arity().min() > 0;
            parameters
                    .append(required ? " " : " [")
                    .append(parameter.paramLabel())
                    .append(required ? "" : "]");
        }
        return parameters.toString();
    }

    private void commands() {
        if (command.subcommands().isEmpty()) {
            return;
        }
        macro("SH", "COMMANDS");
        command.subcommands().forEach((name, line) -> {
            macro("TP");
            macro("B", name);
            text("", line.getCommandSpec().usageMessage().description()[0]);
        });
    }

    private void arguments() {
        if (command.positionalParameters().isEmpty()) {
            return;
        }
        macro("SH", "ARGUMENTS");
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            macro("TP");
            macro("I", parameter.paramLabel());
            text("", String.join(" ", parameter.description()));
        }
    }

    private void options() {
        macro("SH", "OPTIONS");
        OptionTables.of(command).forEach((heading, options) -> {
            if (!heading.isEmpty()) {
                macro("SS", heading);
            }
            for (OptionSpec option : options) {
                macro("TP");
                page.append("\\fB")
                        .append(escaped(String.join(", ", option.names())))
                        .append("\\fP");
                if (option.arity().max() > 0) {
                    page.append(" \\fI").append(escaped(option.paramLabel())).append("\\fP");
                }
                page.append('\n');
                text("", String.join(" ", option.description()));
            }
        });
    }

    private void exitStatus() {
        macro("SH", "EXIT STATUS");
        String[][] codes = {
            {"0", "Done."},
            {"1", "Failure at run time; one line on standard error says why."},
            {"2", "Usage error on the command line, in an environment variable or in the configuration file."},
            {"130", "Interrupted."},
            {"141", "The reader of standard output closed it."},
        };
        for (String[] code : codes) {
            macro("TP");
            macro("B", code[0]);
            text("", code[1]);
        }
    }

    private void examples() {
        List<String> lines = new ArrayList<>();
        for (String line : command.usageMessage().footer()) {
            if (line.startsWith("  ")) {
                lines.add(line.strip());
            }
        }
        if (lines.isEmpty()) {
            return;
        }
        macro("SH", "EXAMPLES");
        macro("PP");
        macro("nf");
        lines.forEach(line -> text("", line));
        macro("fi");
    }

    private void macro(String name, String... arguments) {
        page.append('.').append(name);
        for (String argument : arguments) {
            page.append(" \"").append(escaped(argument).replace("\"", "\\(dq")).append('"');
        }
        page.append('\n');
    }

    /** Writes a line of text. roff takes a line that begins with a dot or a quote for a macro, hence {@code \\&}. */
    private void text(String prefix, String text) {
        String escaped = prefix + escaped(text);
        page.append(escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" : "")
                .append(escaped)
                .append('\n');
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\e")
                .replace("-", "\\-")
                .replace("~", "\\(ti")
                .replace("^", "\\(ha")
                .replace("`", "\\(ga")
                .replace("'", "\\(aq");
    }
}
