package dev.xlstm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A copy of the demo model with other small files. */
public final class EditedDemo {

    private final Path directory;

    /** In a new directory below {@code parent}. */
    public EditedDemo(Path parent) throws IOException {
        directory = Files.createTempDirectory(parent, "demo");
        try (Stream<Path> files = Files.list(CliRun.DEMO)) {
            for (Path file : files.toList()) {
                Files.copy(file, directory.resolve(file.getFileName()));
            }
        }
    }

    /** Writes a file in place of the demo's. */
    public EditedDemo with(String name, String text) throws IOException {
        Files.deleteIfExists(directory.resolve(name));
        Files.writeString(directory.resolve(name), text);
        return this;
    }

    /** Takes the mark of a special token from an added token of tokenizer.json. */
    public EditedDemo withPlainAddedToken(String content) throws IOException {
        JsonNode tokenizer =
                JsonMapper.shared().readTree(directory.resolve("tokenizer.json").toFile());
        for (JsonNode token : tokenizer.get("added_tokens")) {
            if (token.get("content").asString().equals(content)) {
                ((ObjectNode) token).put("special", false);
            }
        }
        return with("tokenizer.json", tokenizer.toString());
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
