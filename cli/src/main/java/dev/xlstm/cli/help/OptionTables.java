package dev.xlstm.cli.help;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The options of a command, grouped by the headings of its help. */
final class OptionTables {

    private OptionTables() {}

    /** Options by heading; options without a heading are under "", options of subcommands under their names. */
    static Map<String, List<OptionSpec>> of(CommandSpec command) {
        Map<String, List<OptionSpec>> tables = new LinkedHashMap<>();
        tables.put("", new ArrayList<>());
        command.argGroups().stream()
                .sorted(Comparator.comparing(ArgGroupSpec::order))
                .forEach(group -> collect(group, "", tables));
        tables.get("").addAll(ownOptions(command));
        if (command.parent() != null) {
            command.subcommands().forEach((name, line) -> tables.put(name, ownOptions(line.getCommandSpec())));
        }
        List<OptionSpec> general = tables.remove("");
        if (!general.isEmpty()) {
            tables.put(tables.isEmpty() ? "" : "Other", general);
        }
        tables.values().removeIf(List::isEmpty);
        return tables;
    }

    /** The options that are neither in a group nor inherited by all commands. */
    private static List<OptionSpec> ownOptions(CommandSpec command) {
        return command.options().stream()
                .filter(option -> option.group() == null && (command.parent() == null || !option.inherited()))
                .toList();
    }

    private static void collect(ArgGroupSpec group, String heading, Map<String, List<OptionSpec>> tables) {
        String own = group.heading() == null
                ? heading
                : group.heading().replace("%n", "").replaceFirst(":$", "");
        tables.computeIfAbsent(own, name -> new ArrayList<>()).addAll(group.options());
        group.subgroups().forEach(sub -> collect(sub, own, tables));
    }
}
