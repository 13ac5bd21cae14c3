package dev.xlstm.cli.config;

import dev.xlstm.cli.config.ConfigFile.ConfigException;
import dev.xlstm.cli.options.MultiValue;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Defaults of flags that the user has set. For {@code --top-k} of {@code chat}, in the order of precedence: the variables
 * {@code XLSTM_CHAT_TOP_K} and {@code XLSTM_TOP_K}, then the keys {@code chat.top-k} and {@code top-k} of the user's
 * {@link ConfigFile}. Nothing is read before a parser asks.
 */
public final class Configuration implements IDefaultValueProvider {

    static final String PREFIX = "XLSTM_";

    /** What flags call a value that may begin with ~/ in the file. */
    private static final Set<String> PATHS = Set.of("MODEL", "FILE", "FILE|JSON");

    /** A resource: all keys, one a line, in their order. */
    static final String KEYS = "config-keys.txt";

    /** Flags that say what a run is, not how runs go: they have no default to be set. */
    static final Set<String> EXCLUDED = Set.of(
            "help",
            "version",
            "once",
            "continue",
            "resume",
            "file",
            "prompt-ids",
            "ids-file",
            "output",
            "state",
            "save-state",
            "decode");

    /**
     * A default that was set.
     *
     * @param origin {@code file:PATH:LINE} or {@code env:VARIABLE}
     */
    record Setting(String value, String origin) {

        /** For people. */
        String place() {
            return origin.substring(origin.indexOf(':') + 1);
        }
    }

    private final Map<String, String> environment;
    private final Map<ArgSpec, Setting> used = new LinkedHashMap<>();
    private ConfigFile file; // when first asked for

    public Configuration(Map<String, String> environment) {
        this.environment = environment;
    }

    /** The name of a flag in files; empty if it has none there. */
    static Optional<String> key(ArgSpec arg) {
        if (!(arg instanceof OptionSpec option)) {
            return Optional.empty();
        }
        String name = option.longestName().replaceFirst("^-+", "");
        return EXCLUDED.contains(name) ? Optional.empty() : Optional.of(name);
    }

    /** The command that a flag is of, as keys name it: the one after {@code xlstm}; empty for that itself. */
    private static String commandOf(ArgSpec arg) {
        CommandSpec command = arg.command();
        String name = "";
        while (command.parent() != null) {
            name = command.name();
            command = command.parent();
        }
        return name;
    }

    static String variable(String key) {
        return PREFIX + key.toUpperCase(Locale.ROOT).replace('-', '_').replace('.', '_');
    }

    @Override
    public String defaultValue(ArgSpec arg) {
        Optional<Setting> setting = setting(arg);
        setting.ifPresent(value -> used.put(arg, value));
        // more than one value for a flag that takes one is found by check
        return setting.map(Setting::value)
                .map(value -> arg.isMultiValue() ? value : value.split(MultiValue.SEPARATOR, 2)[0])
                .orElse(null);
    }

    /** What a flag was set to, if it was. */
    Optional<Setting> setting(ArgSpec arg) {
        return key(arg).flatMap(name -> {
            String command = commandOf(arg);
            List<String> keys = command.isEmpty() ? List.of(name) : List.of(command + "." + name, name);
            boolean isPath = PATHS.contains(((OptionSpec) arg).paramLabel());
            return Stream.concat(
                            keys.stream().map(this::ofEnvironment),
                            keys.stream().map(key -> ofFile(key, isPath)))
                    .flatMap(Optional::stream)
                    .findFirst();
        });
    }

    private Optional<Setting> ofEnvironment(String key) {
        String value = environment.getOrDefault(variable(key), "");
        return value.isEmpty() ? Optional.empty() : Optional.of(new Setting(value, "env:" + variable(key)));
    }

    private Optional<Setting> ofFile(String key, boolean isPath) {
        ConfigFile.Entry entry = file().entries().get(key);
        if (entry == null) {
            return Optional.empty();
        }
        String value = String.join(MultiValue.SEPARATOR, entry.values());
        if (isPath && value.startsWith("~/")) { // there is no shell to do so
            value = environment.getOrDefault("HOME", "~") + value.substring(1);
        }
        return Optional.of(new Setting(value, "file:" + file().path() + ":" + entry.line()));
    }

    /**
     * The user's file.
     *
     * @throws ConfigException if it cannot be used
     */
    public ConfigFile file() {
        if (file == null) {
            file = ConfigFile.read(ConfigFile.ofUser(environment));
        }
        return file;
    }

    /**
     * Checks that each key of the file is a flag's, and set once but for flags that may be given several times.
     *
     * @param command the one that runs
     * @throws ConfigException if one is not
     */
    public void check(CommandSpec command) {
        Map<String, OptionSpec> known = new LinkedHashMap<>();
        collect(command, known);
        List<String> others = null;
        for (ConfigFile.Entry entry : file().entries().values()) {
            String place = file().path() + ":" + entry.line() + ": ";
            OptionSpec option = known.get(entry.key());
            if (option == null) {
                others = others == null ? allKeys() : others;
                if (!others.contains(entry.key())) {
                    throw new ConfigException(place + "'" + entry.key() + "' is no flag that can be set here: correct"
                            + " or remove the line; xlstm help config tells more");
                }
            } else if (entry.values().size() > 1 && !option.isMultiValue()) {
                throw new ConfigException(place + "'" + entry.key() + "' is set more than once: keep one of the lines");
            }
        }
    }

    /** The keys of all commands: asking the commands themselves would take a tenth of a second. */
    static List<String> allKeys() {
        try (InputStream in = Configuration.class.getResourceAsStream(KEYS)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The flags of a command and those below it, by their keys. */
    static void collect(CommandSpec command, Map<String, OptionSpec> into) {
        for (OptionSpec option : command.options()) {
            key(option).ifPresent(name -> {
                into.putIfAbsent(name, option);
                String owner = commandOf(option);
                if (!owner.isEmpty()) {
                    into.put(owner + "." + name, option);
                }
            });
        }
        command.subcommands().values().forEach(sub -> collect(sub.getCommandSpec(), into));
    }

    /** A complaint about flags, with the places where those that it names were set. */
    public String explain(ParameterException e) {
        ParseResult given = e.getCommandLine().getParseResult(); // null if it could not be parsed
        StringBuilder explained = new StringBuilder(e.getMessage());
        used.forEach((arg, setting) -> {
            String name = key(arg).orElseThrow();
            boolean onCommandLine = given != null && given.hasMatchedOption("--" + name)
                    || e.getValue() != null && !e.getValue().equals(setting.value());
            Pattern named = Pattern.compile("(?<![\\w-])(--)?" + Pattern.quote(name) + "(?![\\w-])");
            if (!onCommandLine && named.matcher(e.getMessage()).find()) {
                explained
                        .append(" (set by ")
                        .append(setting.place())
                        .append(": change it there, or give --")
                        .append(name)
                        .append(')');
            }
        });
        return explained.toString();
    }
}
