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
 * The user's defaults of flags. For {@code --top-k} of {@code chat}, in order of precedence: the variables
 * {@code XLSTM_CHAT_TOP_K} and {@code XLSTM_TOP_K}, then the keys {@code chat.top-k} and {@code top-k} of the user's
 * {@link ConfigFile}. The file is read when a value is first requested.
 */
public final class Configuration implements IDefaultValueProvider {

    static final String PREFIX = "XLSTM_";

    /** Parameter labels of paths, which may begin with ~/ in the file. */
    private static final Set<String> PATHS = Set.of("MODEL", "FILE", "FILE|JSON");

    /** The resource that lists all keys, one a line, sorted. */
    static final String KEYS = "config-keys.txt";

    /** Flags that belong to a single run, such as its input and output; they have no configurable default. */
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
     * A configured default.
     *
     * @param origin {@code file:PATH:LINE} or {@code env:VARIABLE}
     */
    record Setting(String value, String origin) {

        /** The origin for messages: PATH:LINE or VARIABLE. */
        String place() {
            return origin.substring(origin.indexOf(':') + 1);
        }
    }

    private final Map<String, String> environment;
    private final Map<ArgSpec, Setting> used = new LinkedHashMap<>();
    private ConfigFile file; // read on first use

    public Configuration(Map<String, String> environment) {
        this.environment = environment;
    }

    /** The key of a flag, such as top-k; empty if it is not configurable. */
    static Optional<String> key(ArgSpec arg) {
        if (!(arg instanceof OptionSpec option)) {
            return Optional.empty();
        }
        String name = option.longestName().replaceFirst("^-+", "");
        return EXCLUDED.contains(name) ? Optional.empty() : Optional.of(name);
    }

    /** The name of the command of a flag, without the command below it; empty for {@code xlstm}. */
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
        // check() reports several values for a flag that takes one
        return setting.map(Setting::value)
                .map(value -> arg.isMultiValue() ? value : value.split(MultiValue.SEPARATOR, 2)[0])
                .orElse(null);
    }

    /** The configured default of a flag, if there is one. */
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
        if (isPath && value.startsWith("~/")) { // no shell has expanded it
            value = environment.getOrDefault("HOME", "~") + value.substring(1);
        }
        return Optional.of(new Setting(value, "file:" + file().path() + ":" + entry.line()));
    }

    /**
     * The user's configuration file.
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
     * Checks that each key of the file is known, and occurs once unless the flag may be given several times.
     *
     * @param command the command that runs
     * @throws ConfigException naming the first bad line
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
                    throw new ConfigException(place + "'" + entry.key() + "' is not a known key: correct or"
                            + " remove the line; see xlstm help config");
                }
            } else if (entry.values().size() > 1 && !option.isMultiValue()) {
                throw new ConfigException(place + "'" + entry.key() + "' is set more than once: keep one of the lines");
            }
        }
    }

    /** The keys of all commands. From a resource, since loading all commands takes 0.1 s. */
    static List<String> allKeys() {
        try (InputStream in = Configuration.class.getResourceAsStream(KEYS)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Collects the flags of a command and its subcommands by key. */
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

    /** The message of a usage error; where it names a configured flag, it says where that was set. */
    public String explain(ParameterException e) {
        ParseResult given = e.getCommandLine().getParseResult(); // null if parsing failed
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
