package dev.xlstm.cli.models;

import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.ProgressBar;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.error.NotFoundException;
import dev.xlstm.hub.CachedModels;
import dev.xlstm.hub.CachedModels.Problem;
import dev.xlstm.hub.CachedModels.Removal;
import dev.xlstm.hub.CachedModels.Snapshot;
import dev.xlstm.model.ConvertedModels;
import dev.xlstm.model.ConvertedModels.Converted;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.safetensors.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xlstm models}. */
@Command(
        name = "models",
        description =
                "Lists, verifies and removes the models that can be run: those in the Hugging Face cache, and those that"
                        + " pull --format converted.",
        synopsisSubcommandLabel = "[COMMAND]",
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm models",
            "  xlstm models verify NX-AI/xLSTM-7b",
            "  xlstm models rm NX-AI/xLSTM-7b",
        })
public final class ModelsCommand implements Callable<Integer> {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");
    private static final int COMMIT_LENGTH = 12;

    private final Streams streams;
    private final Interruption interruption;
    private final CachedModels cached;
    private final ConvertedModels converted;

    public ModelsCommand(Streams streams, Interruption interruption, Map<String, String> environment) {
        this.streams = streams;
        this.interruption = interruption;
        cached = CachedModels.of(environment);
        converted = ConvertedModels.of(environment);
    }

    /** Lists them. */
    @Override
    public Integer call() throws IOException {
        return list();
    }

    @Command(name = "list", description = "Lists the models: id, revision, format, size, memory needed, last used.")
    int list() throws IOException {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"MODEL", "REVISION", "FORMAT", "SIZE", "MEMORY", "LAST USED"});
        for (Snapshot snapshot : cached.list()) {
            String[] row = row(snapshot);
            if (row != null) {
                rows.add(row);
            }
        }
        for (Converted model : converted.list()) {
            rows.add(row(model));
        }
        if (rows.size() == 1) {
            streams.message("no models; fetch one: xlstm pull ethicalabs/xLSTM-7b-Instruct");
            return ExitCode.OK;
        }
        int columns = rows.getFirst().length;
        int[] widths = new int[columns];
        for (String[] row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row[i]).append(" ".repeat(widths[i] - row[i].length() + 2));
            }
            table.append(line.toString().stripTrailing()).append('\n');
        }
        streams.printUntrusted(table.toString());
        return ExitCode.OK;
    }

    /** Null for a model of another kind, and where there is a config without weights. */
    private static String[] row(Snapshot snapshot) throws IOException {
        if (!Checkpoint.isIn(snapshot.directory())) {
            return null;
        }
        String revision = snapshot.refs().isEmpty()
                ? snapshot.commit()
                        .substring(0, Math.min(COMMIT_LENGTH, snapshot.commit().length()))
                : String.join(",", snapshot.refs());
        String format;
        String memory;
        try (ModelDirectory model = ModelDirectory.open(snapshot.directory())) {
            try {
                model.weights();
                format = model.storedFormat();
                memory = ByteSize.text(
                        model.checkpoint().byteSize() + model.config().stateBytes());
            } catch (IOException e) {
                format = "incomplete";
                memory = "";
            }
        } catch (IOException e) {
            return null; // no xLSTM
        }
        LocalDateTime used = LocalDateTime.ofInstant(CachedModels.lastUsed(snapshot), ZoneId.systemDefault());
        return new String[] {
            snapshot.id(), revision, format, ByteSize.text(CachedModels.bytes(snapshot)), memory, used.format(TIME)
        };
    }

    private static String[] row(Converted model) throws IOException {
        String format;
        String memory;
        try (ModelDirectory opened = ModelDirectory.open(model.directory())) {
            format = opened.storedFormat();
            memory = ByteSize.text(
                    opened.checkpoint().byteSize() + opened.config().stateBytes());
        } catch (IOException e) {
            format = "damaged";
            memory = "";
        }
        LocalDateTime used = LocalDateTime.ofInstant(model.lastUsed().toInstant(), ZoneId.systemDefault());
        return new String[] {
            model.name(), shortened(model.commit()), format, ByteSize.text(model.bytes()), memory, used.format(TIME)
        };
    }

    private static String shortened(String commit) {
        return commit.substring(0, Math.min(COMMIT_LENGTH, commit.length()));
    }

    @Command(name = "verify", description = "Compares the content of a model's files with their hashes.")
    int verify(
            @Parameters(paramLabel = "ID", description = "ORG/NAME, ORG/NAME@REVISION, or ORG/NAME:FORMAT.") String id,
            @Option(
                            names = {"-q", "--quiet"},
                            fallbackValue = "true",
                            description = "Show nothing but what is wrong.")
                    boolean quiet)
            throws IOException {
        int problems = 0;
        interruption.begin();
        try {
            Converted model = findConverted(id);
            if (model != null) {
                return verify(model, quiet) ? ExitCode.OK : ExitCode.FAILURE;
            }
            for (Snapshot snapshot : find(id)) {
                problems += verify(snapshot, quiet);
            }
        } catch (CancellationException e) {
            return ExitCode.INTERRUPTED;
        } finally {
            interruption.end();
        }
        return problems == 0 ? ExitCode.OK : ExitCode.FAILURE;
    }

    private boolean verify(Converted model, boolean quiet) throws IOException {
        boolean right = model.verify(bytes -> {
            if (interruption.requested()) {
                throw new CancellationException();
            }
        });
        if (!right) {
            streams.message("xlstm: " + Streams.visible(model.name())
                    + " has other content than was written; remove it and pull it again");
        } else if (!quiet) {
            streams.print(model.name() + ": " + ByteSize.text(model.bytes()) + ", all right\n");
        }
        return right;
    }

    private int verify(Snapshot snapshot, boolean quiet) throws IOException {
        long total = CachedModels.bytes(snapshot);
        long[] done = {0};
        List<Problem> found;
        try (ProgressBar bar = new ProgressBar(streams, "verify")) {
            found = CachedModels.verify(snapshot, bytes -> {
                if (interruption.requested()) {
                    throw new CancellationException();
                }
                done[0] += bytes;
                if (!quiet) {
                    bar.show(done[0], total, ByteSize.text(done[0]) + " of " + ByteSize.text(total));
                }
            });
        }
        for (Problem problem : found) {
            streams.message("xlstm: " + Streams.visible(snapshot.id() + "/" + problem.path() + " " + problem.text())
                    + "; remove the model and pull it again");
        }
        if (found.isEmpty() && !quiet) {
            streams.print(snapshot.id() + "@" + snapshot.commit() + ": " + ByteSize.text(total) + ", all right\n");
        }
        return found.size();
    }

    @Command(name = "rm", description = "Removes models, with all content that no other revision uses.")
    int rm(
            @Parameters(
                            paramLabel = "ID",
                            arity = "1..*",
                            description = "ORG/NAME, ORG/NAME@REVISION, or ORG/NAME:FORMAT.")
                    List<String> ids)
            throws IOException {
        for (String id : ids) {
            Converted model = findConverted(id);
            if (model != null) {
                long bytes = model.bytes();
                model.delete();
                streams.print("removed " + model.name() + ", " + ByteSize.text(bytes) + " freed\n");
                continue;
            }
            for (Snapshot snapshot : find(id)) {
                Removal removal = CachedModels.removal(snapshot);
                removal.run();
                streams.print("removed " + snapshot.id() + "@" + snapshot.commit() + ", "
                        + ByteSize.text(removal.bytes()) + " freed\n");
            }
        }
        return ExitCode.OK;
    }

    /** The converted model of that name, or null. */
    private Converted findConverted(String name) throws IOException {
        return converted.list().stream()
                .filter(model -> model.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    /** All revisions of ORG/NAME, or the one named. */
    private List<Snapshot> find(String id) throws IOException {
        String name = id.contains("@") ? id.substring(0, id.indexOf('@')) : id;
        String revision = id.contains("@") ? id.substring(id.indexOf('@') + 1) : null;
        List<Snapshot> found = new ArrayList<>();
        for (Snapshot snapshot : cached.list()) {
            boolean named = revision == null
                    || snapshot.refs().contains(revision)
                    || revision.length() >= 7 && snapshot.commit().startsWith(revision);
            if (snapshot.id().equals(name) && named) {
                found.add(snapshot);
            }
        }
        if (found.isEmpty()) {
            throw new NotFoundException(Path.of(id), "not in the Hugging Face cache; xlstm models lists what is");
        }
        return found;
    }
}
