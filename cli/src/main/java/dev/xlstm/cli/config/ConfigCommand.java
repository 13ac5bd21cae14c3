package dev.xlstm.cli.config;

import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.CommandNames;
import dev.xlstm.cli.options.MultiValue;
import dev.xlstm.cli.options.UsageErrors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm config}. */
@Command(
        name = "config",
        description = {
            "Shows the default of every flag and where it comes from.",
            "",
            "Set a default with an environment variable, such as XLSTM_TOP_K=20 for --top-k, or with a line top-k=20 in"
                    + " $XDG_CONFIG_HOME/xlstm/config.properties (by default ~/.config/xlstm/config.properties). Prefix"
                    + " the name with a command to limit it to that command: XLSTM_CHAT_TOP_K, chat.top-k. Flags on the"
                    + " command line override variables, variables override the file, and a name with a command"
                    + " overrides one without.",
            "",
            "The file has the format of Java's Properties, in UTF-8: # begins a comment, \\n is a line feed. Repeat a key"
                    + " where a flag may be given several times. A flag without a value is true or false;"
                    + " --stats=false on the command line switches one off. Flags that belong to a single run, such as"
                    + " --file, --output, --state, --save-state, --resume and --once, have no configurable default."
                    + " Other variables that begin with XLSTM_ are ignored with a warning.",
            "",
            "Prints a line per flag: the origin, a tab, and key=value as in the file. A default that several commands share"
                    + " is shown once, without a command's name."
        },
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm config | grep -v ^default:",
            "  xlstm config chat",
            "  xlstm config --json | jq .file",
        })
public final class ConfigCommand implements Runnable {

    /** Variables that the launcher reads. */
    private static final Set<String> OTHER_VARIABLES = Set.of("XLSTM_JAVA_OPTS");

    @Parameters(
            arity = "0..1",
            paramLabel = "COMMAND",
            completionCandidates = CommandNames.class,
            description = "Show the flags of this command only.")
    private String command;

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    private final Streams streams;
    private final Map<String, String> environment;
    private final Configuration configuration;
    private final Supplier<CommandSpec> everything;

    /**
     * @param everything the program with all of its commands
     */
    public ConfigCommand(
            Streams streams,
            Map<String, String> environment,
            Configuration configuration,
            Supplier<CommandSpec> everything) {
        this.streams = streams;
        this.environment = environment;
        this.configuration = configuration;
        this.everything = everything;
    }

    /**
     * The default of a flag in effect.
     *
     * @param values empty if there is no default; several for a flag that may be given several times
     */
    private record Effective(List<String> values, String origin) {}

    @Override
    public void run() {
        Map<String, OptionSpec> options = new LinkedHashMap<>();
        Configuration.collect(everything.get(), options);
        Map<String, Effective> shown = command == null ? all(options) : of(command, options);
        if (shown.isEmpty()) {
            throw UsageErrors.unknownCommand(spec, command);
        }
        if (json) {
            print(shown);
        } else {
            StringBuilder lines = new StringBuilder();
            shown.forEach((key, effective) -> {
                for (String value : effective.values.isEmpty() ? List.of("") : effective.values) {
                    lines.append(effective.origin).append('\t').append(key).append('=');
                    lines.append(escaped(value)).append('\n');
                }
            });
            streams.printUntrusted(lines.toString());
        }
        Set<String> variables =
                options.keySet().stream().map(Configuration::variable).collect(Collectors.toSet());
        for (String variable : new TreeSet<>(environment.keySet())) {
            if (variable.startsWith(Configuration.PREFIX)
                    && !variables.contains(variable)
                    && !OTHER_VARIABLES.contains(variable)) {
                streams.message("xlstm: warning: " + variable + " is ignored: it is not the variable of a flag");
            }
        }
    }

    /** By the name of the flag if all of its commands have the same default, else by command and name. */
    private Map<String, Effective> all(Map<String, OptionSpec> options) {
        Map<String, Map<String, Effective>> byName = new TreeMap<>();
        options.forEach((key, option) -> {
            String name = key.substring(key.indexOf('.') + 1);
            if (!name.equals(key) || option.command().parent() == null) {
                byName.computeIfAbsent(name, n -> new TreeMap<>()).put(key, effective(option));
            }
        });
        Map<String, Effective> all = new TreeMap<>();
        byName.forEach((name, values) -> {
            Set<Effective> different = Set.copyOf(values.values());
            if (values.size() > 1 && different.size() == 1) {
                all.put(name, different.iterator().next());
            } else {
                all.putAll(values);
            }
        });
        return all;
    }

    private Map<String, Effective> of(String command, Map<String, OptionSpec> options) {
        Map<String, Effective> of = new TreeMap<>();
        options.forEach((key, option) -> {
            if (key.startsWith(command + ".")) {
                of.put(key.substring(command.length() + 1), effective(option));
            }
        });
        return of;
    }

    private Effective effective(OptionSpec option) {
        return configuration
                .setting(option)
                .map(setting -> new Effective(List.of(setting.value().split(MultiValue.SEPARATOR)), setting.origin()))
                .orElseGet(() -> new Effective(values(option.getValue()), "default:"));
    }

    private static List<String> values(Object value) {
        if (value instanceof Collection<?> several) {
            return several.stream().map(String::valueOf).toList();
        }
        return value == null ? List.of() : List.of(value.toString());
    }

    /** As written in a configuration file. */
    private static String escaped(String value) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case ' ' -> text.append(i == 0 ? "\\ " : " ");
                default -> text.append(Character.isISOControl(c) ? String.format("\\u%04x", (int) c) : "" + c);
            }
        }
        return text.toString();
    }

    private void print(Map<String, Effective> shown) {
        JsonOutput.print(streams, out -> {
            JsonOutput.text(
                    out,
                    "file",
                    configuration.file().path() == null
                            ? null
                            : configuration.file().path().toString());
            out.writeArrayPropertyStart("settings");
            shown.forEach((key, effective) -> {
                out.writeStartObject();
                out.writeStringProperty("key", key);
                List<String> values = new ArrayList<>(effective.values);
                if (values.size() > 1) {
                    out.writeArrayPropertyStart("value");
                    values.forEach(out::writeString);
                    out.writeEndArray();
                } else {
                    JsonOutput.text(out, "value", values.isEmpty() ? null : values.getFirst());
                }
                out.writeStringProperty("origin", effective.origin);
                out.writeEndObject();
            });
            out.writeEndArray();
        });
    }
}
