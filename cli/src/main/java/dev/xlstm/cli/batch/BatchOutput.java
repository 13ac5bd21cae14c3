package dev.xlstm.cli.batch;

import dev.xlstm.cli.console.Streams;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes the results of a batch to a file or stdout, each line in one write. A killed run leaves complete lines and at most a
 * truncated last one, which is removed when the run is resumed.
 */
final class BatchOutput implements AutoCloseable {

    private final Streams streams;
    private final Path path; // null for stdout
    private final FileChannel file; // null for stdout
    private final Set<String> finished = new HashSet<>(); // ids as JSON

    private BatchOutput(Streams streams, Path path, FileChannel file) {
        this.streams = streams;
        this.path = path;
        this.file = file;
    }

    static BatchOutput stdout(Streams streams) {
        return new BatchOutput(streams, null, null);
    }

    /**
     * @param resume whether to append to an existing file; otherwise it must not exist
     */
    static BatchOutput file(Streams streams, Path path, boolean resume) throws IOException {
        if (!resume && Files.exists(path) && Files.size(path) > 0) {
            throw new IOException(path + ": exists; give --resume to continue it");
        }
        BatchOutput output = new BatchOutput(
                streams,
                path,
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
        try {
            if (output.file.tryLock() == null) {
                throw new IOException(path + ": another run is writing it");
            }
            output.cutTornLine();
            output.readFinished(path);
            output.file.position(output.file.size());
            return output;
        } catch (Throwable e) {
            output.close();
            throw e;
        }
    }

    /** Removes what follows the last line feed. */
    private void cutTornLine() throws IOException {
        long end = file.size();
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        while (end > 0) {
            long from = Math.max(0, end - buffer.capacity());
            buffer.clear().limit((int) (end - from));
            while (buffer.hasRemaining() && file.read(buffer, from + buffer.position()) >= 0) {}
            for (int i = buffer.position() - 1; i >= 0; i--) {
                if (buffer.get(i) == '\n') {
                    file.truncate(from + i + 1);
                    return;
                }
            }
            end = from;
        }
        file.truncate(0);
    }

    private void readFinished(Path path) throws IOException {
        file.position(0);
        // not closed, since that would close the channel
        BufferedReader reader = new BufferedReader(Channels.newReader(file, StandardCharsets.UTF_8));
        int number = 0;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            number++;
            try {
                JsonNode json = JsonMapper.shared().readTree(line);
                JsonNode id = json.has("custom_id") ? json.get("custom_id") : json.get("id");
                if (json.isObject() && id != null) {
                    finished.add(id.toString());
                    continue;
                }
            } catch (JacksonException e) {
                // reported below
            }
            throw new IOException(path + ": line " + number + " is not a result of xlstm batch; name another file");
        }
    }

    /** Whether the file held a result for this id when it was opened. */
    boolean isFinished(JsonNode id) {
        return finished.contains(id.toString());
    }

    int finishedCount() {
        return finished.size();
    }

    void write(String line) throws IOException {
        if (file == null) {
            streams.printUntrusted(line + "\n");
            return;
        }
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
        } catch (IOException e) { // for example a full disk; the message lacks the file
            throw new IOException(path + ": cannot be written: " + e.getMessage() + "; continue with --resume", e);
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
