package dev.xlstm.model;

import dev.xlstm.hub.Hub;
import dev.xlstm.hub.HubException;
import dev.xlstm.hub.RemoteFile;
import dev.xlstm.hub.RemoteStream;
import dev.xlstm.hub.RepositoryListing;
import dev.xlstm.hub.TransferListener;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.SafetensorsWriter;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Converts a checkpoint while it arrives: the original is never on disk. Shards come side by side. A journal says after each
 * tensor how far each shard has come, and the state of its hash: a later run goes on behind the last whole tensor.
 */
final class ConvertingDownload {

    private static final String WEIGHTS = "model.safetensors";
    private static final String UNFINISHED = ".model.safetensors.unfinished";
    private static final String JOURNAL = ".journal";

    private final Hub hub;
    private final RepositoryListing repository;
    private final ModelDirectory headers;
    private final CheckpointConversion conversion;
    private final WeightFormat format;
    private final TransferListener listener;
    private final Map<String, String> progress = new HashMap<>(); // by shard: tensors done, state of the hash
    private Path journal;
    private Throwable failure; // guarded by this

    /** @param headers the model over files that hold headers alone */
    ConvertingDownload(
            Hub hub,
            RepositoryListing repository,
            ModelDirectory headers,
            WeightFormat format,
            TransferListener listener)
            throws IOException {
        this.hub = hub;
        this.repository = repository;
        this.headers = headers;
        this.format = format;
        this.listener = listener;
        conversion = new CheckpointConversion(headers, format);
    }

    /**
     * Fetches and converts.
     *
     * @param shards by the name of the file in the model's directory
     * @param target does not exist; appears when it is complete
     * @param name for {@code source.json}
     */
    void run(Map<String, RemoteFile> shards, Path target, String name) throws IOException, InterruptedException {
        Path partial = target.resolveSibling("." + target.getFileName() + ".partial");
        Files.createDirectories(partial);
        journal = partial.resolve(JOURNAL);
        openJournal(shards, partial);
        try (SafetensorsWriter writer = SafetensorsWriter.resume(
                partial.resolve(WEIGHTS), partial.resolve(UNFINISHED), conversion.metadata(), conversion.layout())) {
            fetch(shards, writer);
            writer.commit();
        } catch (HubException.WrongContent e) {
            Files.deleteIfExists(journal); // nothing of it is to be trusted
            throw e;
        }
        copySmallFiles(partial);
        Map<String, String> hashes = new TreeMap<>();
        shards.forEach((file, shard) -> hashes.put(file, shard.etag()));
        String sha256 = ConvertedModels.hash(partial.resolve(WEIGHTS), bytes -> {});
        Files.write(
                partial.resolve(ConvertedModels.SOURCE),
                ConvertedModels.source(name, repository.commit(), hashes, sha256));
        Files.delete(journal);
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Takes over what an earlier run has done, if it was the same work. */
    private void openJournal(Map<String, RemoteFile> shards, Path partial) throws IOException {
        StringBuilder work = new StringBuilder("xlstm conversion 1 ").append(format);
        new TreeMap<>(shards).forEach((file, shard) -> work.append(' ').append(shard.etag()));
        List<String> lines = Files.isRegularFile(journal) && Files.isRegularFile(partial.resolve(UNFINISHED))
                ? completeLines()
                : List.of();
        if (lines.isEmpty() || !lines.getFirst().contentEquals(work)) {
            Files.deleteIfExists(partial.resolve(UNFINISHED));
            Files.deleteIfExists(partial.resolve(WEIGHTS));
            Files.writeString(journal, work + "\n");
            return;
        }
        for (String line : lines.subList(1, lines.size())) {
            String[] parts = line.split(" ", 2);
            if (shards.containsKey(parts[0])) {
                progress.put(parts[0], parts[1]);
            }
        }
    }

    /** A line that was cut short by a kill is cut off. */
    private List<String> completeLines() throws IOException {
        String text = Files.readString(journal, StandardCharsets.UTF_8);
        String whole = text.substring(0, text.lastIndexOf('\n') + 1);
        if (whole.length() < text.length()) {
            Files.writeString(journal, whole);
        }
        return whole.lines().toList();
    }

    private synchronized void append(String line) throws IOException {
        Files.writeString(journal, line + "\n", StandardOpenOption.APPEND);
    }

    private void fetch(Map<String, RemoteFile> shards, SafetensorsWriter writer)
            throws IOException, InterruptedException {
        List<Thread> threads = new ArrayList<>();
        List<Map.Entry<String, RemoteFile>> waiting = new ArrayList<>(shards.entrySet());
        int connections = Math.min(4, waiting.size());
        for (int i = 0; i < connections; i++) {
            threads.add(
                    Thread.ofPlatform().daemon().name("xlstm-convert-" + i).start(() -> fetchNext(waiting, writer)));
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                fail(e);
                threads.forEach(Thread::interrupt);
                throw e;
            }
        }
        if (failure instanceof IOException e) {
            throw e;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure != null) {
            throw new IllegalStateException(failure);
        }
    }

    private synchronized void fail(Throwable e) {
        failure = failure == null ? e : failure;
    }

    private synchronized boolean failed() {
        return failure != null;
    }

    private void fetchNext(List<Map.Entry<String, RemoteFile>> waiting, SafetensorsWriter writer) {
        try {
            while (!failed()) {
                Map.Entry<String, RemoteFile> shard;
                synchronized (waiting) {
                    if (waiting.isEmpty()) {
                        return;
                    }
                    shard = waiting.removeFirst();
                }
                fetch(shard.getKey(), shard.getValue(), writer);
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    private void fetch(String name, RemoteFile file, SafetensorsWriter writer)
            throws IOException, InterruptedException {
        Checkpoint checkpoint = headers.checkpoint();
        List<Tensor> tensors = checkpoint.tensors().values().stream()
                .filter(tensor -> checkpoint.fileOf(tensor.name()).endsWith(name))
                .toList();
        listener.transferred(file, 0);
        String[] done = progress.getOrDefault(name, "0").split(" ");
        int first = Integer.parseInt(done[0]);
        for (Tensor tensor : tensors.subList(0, first)) {
            writer.keep(conversion.name(tensor));
        }
        long data =
                tensors.stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
        try (Arena arena = Arena.ofShared();
                RemoteStream stream = hub.stream(repository, file, done.length < 2 ? null : done[1], listener)) {
            if (done.length == 2) {
                listener.transferred(file, stream.position());
            } else {
                stream.read(arena.allocate(file.size() - data)); // the header, for the hash
            }
            BufferedSource source = new BufferedSource(stream, arena);
            for (int i = first; i < tensors.size(); i++) {
                Tensor tensor = tensors.get(i);
                conversion.convert(tensor, source, piece -> writer.write(conversion.name(tensor), piece));
                append(name + " " + (i + 1) + " " + stream.save());
                if (failed()) {
                    return;
                }
            }
            stream.verify();
        }
    }

    /** Bytes of a stream, in a buffer that is used again. */
    private static final class BufferedSource implements CheckpointConversion.Source {

        private final RemoteStream stream;
        private final Arena arena;
        private MemorySegment buffer = MemorySegment.NULL;

        BufferedSource(RemoteStream stream, Arena arena) {
            this.stream = stream;
            this.arena = arena;
        }

        @Override
        public MemorySegment next(long bytes) throws IOException, InterruptedException {
            if (buffer.byteSize() < bytes) {
                buffer = arena.allocate(bytes, 64);
            }
            MemorySegment next = buffer.asSlice(0, bytes);
            stream.read(next);
            return next;
        }
    }

    /** Config and tokenizer. */
    private void copySmallFiles(Path partial) throws IOException {
        Files.write(partial.resolve("config.json"), headers.canonicalConfig());
        try (Stream<Path> files = Files.list(headers.path())) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                boolean weights = name.endsWith(".safetensors") || name.endsWith(".index.json");
                if (!weights && !name.matches("config\\.(json|yaml)") && Files.isRegularFile(file)) {
                    Files.copy(file, partial.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }
}
