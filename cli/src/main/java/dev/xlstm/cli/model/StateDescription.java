package dev.xlstm.cli.model;

import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.session.StateFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Describes a state file for {@code xlstm inspect}. */
record StateDescription(Path path, StateFile.Description state) {

    void print(Streams streams, boolean json) throws IOException {
        long bytes = Files.size(path);
        if (json) {
            JsonOutput.print(streams, out -> {
                out.writeStringProperty("path", path.toString());
                out.writeStringProperty("kind", "state");
                out.writeNumberProperty("tokens", state.position());
                out.writeStringProperty("weights", state.weights());
                out.writeStringProperty("model_hash", state.model());
                out.writeBooleanProperty("exact", state.exact());
                out.writeNumberProperty("bytes", bytes);
            });
            return;
        }
        StringBuilder table = new StringBuilder();
        row(table, "state file", path.toString());
        row(table, "tokens read", String.format(Locale.ROOT, "%,d", state.position()));
        row(table, "model", state.weights() + " weights, hash " + state.model());
        row(table, "precision", state.exact() ? "f32 (resumes exactly)" : "bf16 (approximate)");
        row(table, "size", ByteSize.text(bytes));
        row(table, "continue with", "xlstm generate --state " + path + ", with the same model");
        streams.printUntrusted(table.toString());
    }

    private static void row(StringBuilder table, String name, String value) {
        table.append(String.format(Locale.ROOT, "%-15s%s%n", name, value));
    }
}
