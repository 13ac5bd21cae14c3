package dev.xlstm.cli.help;

import dev.xlstm.cli.GeneratedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import static org.assertj.core.api.Assertions.assertThat;

/** The tables in cli/docs/options.md are those of the commands. */
public class OptionTablesTest {

    private static final String BEGIN = "<!-- tables of options: written by OptionTablesTest -->\n";
    private static final String END = "<!-- end of the tables -->\n";

    @Test
    void tablesOfOptionsAreCurrent() throws IOException {
        Path file = Path.of("docs/options.md");
        String page = Files.readString(file);
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        int end = page.indexOf(END);
        assertThat(begin).isGreaterThan(BEGIN.length()).isLessThanOrEqualTo(end);
        GeneratedFiles.check(file, page.substring(0, begin) + tables() + page.substring(end));
    }

    /** An option that several commands share is explained where it first occurs. */
    private static String tables() {
        StringBuilder text = new StringBuilder();
        Set<String> explained = new HashSet<>();
        CommandSpec program = GeneratedFiles.everything();
        program.subcommands().forEach((name, line) -> {
            List<String> known = new ArrayList<>();
            StringBuilder tables = new StringBuilder();
            OptionTables.of(line.getCommandSpec()).forEach((heading, options) -> {
                List<OptionSpec> fresh = options.stream()
                        .filter(option -> explained.add(names(option) + description(option)))
                        .toList();
                table(tables, heading, fresh);
                if (fresh.isEmpty() && !heading.isEmpty() && !heading.equals("Other")) {
                    known.add(heading.replaceFirst(",.*", ""));
                } else {
                    options.stream()
                            .filter(option -> !fresh.contains(option))
                            .forEach(o -> known.add(code(o.longestName())));
                }
            });
            if (!known.isEmpty()) {
                tables.append('\n')
                        .append(tables.isEmpty() ? "" : "As above: ")
                        .append(String.join(", ", known))
                        .append("\n");
            }
            if (!tables.isEmpty()) {
                text.append("\n### xlstm ").append(name).append('\n').append(tables);
            }
        });
        StringBuilder all = new StringBuilder();
        table(all, "", OptionTables.of(program).getOrDefault("", List.of()));
        return text + "\n### All commands\n" + all + "\n";
    }

    private static void table(StringBuilder text, String heading, List<OptionSpec> options) {
        if (options.isEmpty()) {
            return;
        }
        text.append("\n| ").append(heading.isEmpty() ? "Option" : heading).append(" | |\n|---|---|\n");
        for (OptionSpec option : options) {
            text.append("| ")
                    .append(names(option))
                    .append(" | ")
                    .append(description(option))
                    .append(" |\n");
        }
    }

    private static String names(OptionSpec option) {
        String value = option.arity().max() > 0 ? " " + option.paramLabel() : "";
        return code(String.join(", ", option.names()) + value);
    }

    private static String description(OptionSpec option) {
        return String.join(" ", option.description()).replace("|", "\\|").replace("*", "\\*");
    }

    private static String code(String text) {
        return "`" + text.replace("|", "\\|") + "`";
    }
}
