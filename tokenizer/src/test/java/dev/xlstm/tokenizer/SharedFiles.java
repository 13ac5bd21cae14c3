package dev.xlstm.tokenizer;

import java.nio.file.Files;
import java.nio.file.Path;

import static org.assertj.core.api.Assumptions.assumeThat;

/** Real tokenizer files that lie beside the repository where someone put them; tests of them are skipped elsewhere. */
final class SharedFiles {
    private SharedFiles() {}

    /** A file under {@code shared/tokenizer} in this directory or one above it; skips the test if there is none. */
    static Path tokenizer(String name) {
        Path found = find(name);
        assumeThat(found).as("shared/tokenizer/%s beside the repository", name).isNotNull();
        return found;
    }

    static Path find(String name) {
        for (Path dir = Path.of("").toAbsolutePath(); dir != null; dir = dir.getParent()) {
            Path file = dir.resolve("shared/tokenizer").resolve(name);
            if (Files.exists(file)) {
                return file;
            }
        }
        return null;
    }
}
