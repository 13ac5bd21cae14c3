package dev.xlstm.cli.config;

import dev.xlstm.cli.console.CliLimits;
import dev.xlstm.cli.console.Utf8Text;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A configuration file in the format of {@link Properties}, in UTF-8. Unlike Properties, it keeps the line of each key, and
 * all values of a key that occurs several times.
 */
public final class ConfigFile {

    /**
     * The values of a key.
     *
     * @param line of its first occurrence, counted from 1
     */
    record Entry(String key, List<String> values, int line) {}

    private final Path path;
    private final Map<String, Entry> entries;

    private ConfigFile(Path path, Map<String, Entry> entries) {
        this.path = path;
        this.entries = entries;
    }

    /** The path of the user's file, which need not exist; null if neither XDG_CONFIG_HOME nor HOME is set. */
    static Path ofUser(Map<String, String> environment) {
        Path configs = Path.of(environment.getOrDefault("XDG_CONFIG_HOME", ""));
        String home = environment.getOrDefault("HOME", "");
        if (!configs.isAbsolute()) { // the XDG specification: ignore relative paths
            configs = home.isEmpty() ? null : Path.of(home, ".config");
        }
        return configs == null ? null : configs.resolve("xlstm").resolve("config.properties");
    }

    /** The configuration file cannot be used. The message names the file, the line, and what to do. */
    public static final class ConfigException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        ConfigException(String message) {
            super(message);
        }
    }

    /**
     * Reads a file; a missing file is empty.
     *
     * @param path may be null
     * @throws ConfigException if it cannot be read or is not well-formed
     */
    static ConfigFile read(Path path) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        if (path != null && Files.exists(path)) {
            List<String> lines = lines(path);
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).isBlank()) {
                    continue;
                }
                int number = i + 1;
                StringBuilder logical = new StringBuilder(lines.get(i));
                boolean comment = isComment(lines.get(i)); // never continued by a backslash
                while (!comment && isContinued(lines.get(i)) && i + 1 < lines.size()) {
                    logical.append('\n').append(lines.get(++i));
                }
                pair(path, number, logical.toString())
                        .forEach((key, value) -> entries.computeIfAbsent(
                                        (String) key, name -> new Entry(name, new ArrayList<>(), number))
                                .values()
                                .add((String) value));
            }
        }
        return new ConfigFile(path, entries);
    }

    private static boolean isComment(String line) {
        String text = line.stripLeading();
        return text.startsWith("#") || text.startsWith("!");
    }

    /** Whether the next line continues this one: it ends in an odd number of backslashes. */
    private static boolean isContinued(String line) {
        int backslashes = 0;
        while (backslashes < line.length() && line.charAt(line.length() - 1 - backslashes) == '\\') {
            backslashes++;
        }
        return backslashes % 2 == 1;
    }

    private static List<String> lines(Path path) {
        if (!Files.isRegularFile(path)) { // opening a FIFO would block
            throw new ConfigException(path + ": is not a regular file: replace or remove it");
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(CliLimits.CONFIG_BYTES + 1);
            if (bytes.length > CliLimits.CONFIG_BYTES) {
                throw new ConfigException(
                        path + ": is larger than the " + CliLimits.CONFIG_BYTES + " bytes allowed: shorten it");
            }
            return decode(path, bytes).lines().toList();
        } catch (IOException e) {
            throw new ConfigException(
                    path + ": cannot be read (" + e.getClass().getSimpleName() + "): make it readable or remove it");
        }
    }

    private static String decode(Path path, byte[] bytes) {
        try {
            return Utf8Text.decode(path.toString(), bytes);
        } catch (IOException e) {
            throw new ConfigException(e.getMessage());
        }
    }

    private static Properties pair(Path path, int number, String line) {
        Properties pair = new Properties();
        try {
            pair.load(new StringReader(line));
        } catch (IOException | IllegalArgumentException e) {
            throw new ConfigException(path + ":" + number + ": " + e.getMessage() + " Write a backslash as \\\\");
        }
        return pair;
    }

    /** Null if the user has no home directory. */
    Path path() {
        return path;
    }

    /** By key, in the order of the file. */
    Map<String, Entry> entries() {
        return entries;
    }
}
