package dev.xlstm.model;

import dev.xlstm.error.NotFoundException;
import dev.xlstm.hub.HubName;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Models of the hub that were converted while they were fetched: {@code ORG/NAME:FORMAT}, in directories of this program's own
 * under {@code $XDG_DATA_HOME/xlstm/models}. Each has a {@code source.json} that says what it was made from.
 */
public final class ConvertedModels {

    static final String SOURCE = "source.json";
    private static final int BUFFER_BYTES = 256 << 10;
    private static final Pattern NAME = Pattern.compile("(.+):(f32|f16|bf16|q8_0|q4_0)");

    /**
     * One of them.
     *
     * @param name {@code ORG/NAME:FORMAT}
     * @param commit of the repository it was made from
     * @param sha256 of its weights
     */
    public record Converted(String name, String commit, String sha256, Path directory) {

        /** Bytes of all files. */
        public long bytes() throws IOException {
            long bytes = 0;
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    bytes += Files.size(file);
                }
            }
            return bytes;
        }

        /** When its weights were last read, as far as the file system tells. */
        public FileTime lastUsed() throws IOException {
            return (FileTime) Files.getAttribute(directory.resolve("model.safetensors"), "lastAccessTime");
        }

        /**
         * Whether the weights are what was written.
         *
         * @param progress given the bytes of each piece read
         */
        public boolean verify(LongConsumer progress) throws IOException {
            return sha256.equals(hash(directory.resolve("model.safetensors"), progress));
        }

        /** Deletes it. */
        public void delete() throws IOException {
            try (Stream<Path> all = Files.walk(directory)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    private final Path directory;

    private ConvertedModels(Path directory) {
        this.directory = directory;
    }

    public static ConvertedModels of(Map<String, String> environment) {
        String data = environment.getOrDefault("XDG_DATA_HOME", "");
        String home = environment.getOrDefault("HOME", System.getProperty("user.home"));
        Path base = data.isEmpty() ? Path.of(home, ".local", "share") : Path.of(data);
        return new ConvertedModels(base.resolve("xlstm").resolve("models"));
    }

    /** Whether a text has the form {@code ORG/NAME:FORMAT}. */
    static boolean isName(String text) {
        Matcher name = NAME.matcher(text);
        return name.matches() && name.group(1).matches("[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9@/._-]+");
    }

    /** The directory of a model, whether it exists or not. */
    Path directory(HubName model, WeightFormat format) {
        String name = model.id().replace("/", "--")
                + (model.revision().equals("main") ? "" : "@" + model.revision())
                + (model.subdirectory().isEmpty()
                        ? ""
                        : "--" + model.subdirectory().replace("/", "--"));
        return directory.resolve(name + "--" + format);
    }

    /**
     * The directory of a model.
     *
     * @param text see {@link #isName}
     * @throws NotFoundException if it was not fetched
     */
    Path find(String text) throws IOException {
        Matcher name = NAME.matcher(text);
        if (!name.matches()) {
            throw new IllegalArgumentException(text);
        }
        Path found = directory(HubName.parse(name.group(1)), WeightFormat.of(name.group(2)));
        if (!Files.isDirectory(found)) {
            throw new NotFoundException(
                    found,
                    "no model " + text + " here; fetch it: xlstm pull " + name.group(1) + " --format " + name.group(2));
        }
        return found;
    }

    /** All of them, by name; directories without a {@code source.json} do not count. */
    public List<Converted> list() throws IOException {
        List<Converted> found = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (Stream<Path> entries = Files.list(directory)) {
                for (Path entry : entries.sorted().toList()) {
                    Path source = entry.resolve(SOURCE);
                    if (!entry.getFileName().toString().startsWith(".") && Files.isRegularFile(source)) {
                        JsonObject json = JsonObject.read(source);
                        found.add(new Converted(
                                json.string("name").orElse(entry.getFileName().toString()),
                                json.string("commit").orElse(""),
                                json.string("sha256").orElse(""),
                                entry));
                    }
                }
            }
        }
        return found;
    }

    /**
     * What a converted model was made from, as {@code source.json} has it.
     *
     * @param files SHA-256 of the original's weights by path
     */
    static byte[] source(String name, String commit, Map<String, String> files, String sha256) {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        json.put("name", name).put("commit", commit).put("sha256", sha256);
        ObjectNode originals = json.putObject("files");
        new TreeMap<>(files).forEach(originals::put);
        return (json.toPrettyString() + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    static String hash(Path file, LongConsumer progress) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
                progress.accept(count);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
