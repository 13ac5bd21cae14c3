package dev.xlstm.model;

import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.SafetensorsWriter;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * Writes a model directory with weights in another format beside the original's other files. It takes a few rows of memory at a
 * time, and appears whole or not at all: the next run removes what a killed one left behind.
 */
public final class CheckpointQuantizer {

    private static final String LOCK = "lock";

    /** Receives the progress. */
    public interface Progress {

        /** @throws java.util.concurrent.CancellationException to stop; nothing is left behind */
        void done(long bytesRead, long bytesOfAll);
    }

    private final ModelDirectory source;
    private final Checkpoint checkpoint;
    private final WeightFormat format;
    private final Progress progress;
    private long bytesRead;

    private CheckpointQuantizer(ModelDirectory source, WeightFormat format, Progress progress) throws IOException {
        this.source = source;
        this.checkpoint = source.checkpoint();
        this.format = format;
        this.progress = progress;
    }

    /**
     * Writes a model in another format, with canonical names and config: prefixes of an exporter and wrappers of its config
     * are left out.
     *
     * @param target a directory that does not exist yet, or is empty
     * @param format of the matrices; a quantised one leaves some of them as they are, see {@link Quantization}
     * @throws IOException if the source is damaged or quantised already, the target is in use, or writing fails
     * @throws IllegalArgumentException if a weight is not finite, or beyond the format
     */
    public static void quantize(ModelDirectory source, Path target, WeightFormat format, Progress progress)
            throws IOException {
        if (Quantization.isQuantized(source.checkpoint())) {
            throw new ModelException(source.path(), "is quantised already; convert the original");
        }
        source.weights(); // checks every shape before anything is written
        new CheckpointQuantizer(source, format, progress)
                .write(target.toAbsolutePath().normalize());
    }

    private void write(Path target) throws IOException {
        if (Files.exists(target) && !isEmptyDirectory(target)) {
            throw new ModelException(target, "is there already; remove it or name another directory");
        }
        Path parent = target.getParent();
        if (parent == null) {
            throw new ModelException(target, "cannot be written to; name a directory in it");
        }
        Files.createDirectories(parent);
        Path partial = target.resolveSibling("." + target.getFileName() + ".partial");
        Files.createDirectories(partial);
        FileChannel lock = lock(partial);
        try {
            clear(partial, LOCK);
            copyOtherFiles(partial);
            copyTokenizer(partial);
            Path config = partial.resolve("config.json");
            sync(Files.write(config, source.canonicalConfig()));
            writeWeights(partial.resolve("model.safetensors"));
            Files.delete(partial.resolve(LOCK));
            Files.deleteIfExists(target); // empty
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            sync(parent);
        } catch (Throwable e) {
            clear(partial, "");
            Files.deleteIfExists(partial);
            throw e;
        } finally {
            lock.close();
        }
    }

    private static boolean isEmptyDirectory(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return false;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            return !entries.iterator().hasNext();
        }
    }

    /** Two runs must not write one directory. A lock, unlike a file, ends with its process. */
    private static FileChannel lock(Path partial) throws IOException {
        FileChannel channel =
                FileChannel.open(partial.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // this process holds it
        }
        if (lock == null) {
            channel.close();
            throw new ModelException(partial, "is being written by another process; wait for it");
        }
        return channel;
    }

    private static void clear(Path directory, String except) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                if (!entry.getFileName().toString().equals(except)) {
                    Files.deleteIfExists(entry);
                }
            }
        } catch (NoSuchFileException e) {
            // renamed already
        }
    }

    /** Config, tokenizer and whatever else lies beside the weights; links, as in the Hugging Face cache, are followed. */
    private void copyOtherFiles(Path target) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(source.path())) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                boolean weights = name.matches(".*\\.(safetensors|safetensors\\.index\\.json|bin|pt|pth|ckpt|gguf|h5)");
                boolean config = name.equals("config.yaml") || name.equals("config.json");
                if (!weights && !config && !name.startsWith(".") && Files.isRegularFile(file)) {
                    sync(Files.copy(file, target.resolve(name)));
                }
            }
        }
    }

    /** The tokenizer, where it was taken from elsewhere. */
    private void copyTokenizer(Path target) throws IOException {
        Optional<Path> file = source.tokenizerFile();
        if (file.isEmpty() || Files.exists(target.resolve("tokenizer.json"))) {
            return;
        }
        sync(Files.copy(file.get(), target.resolve("tokenizer.json")));
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")) {
            Path beside = file.get().resolveSibling(name);
            if (Files.isRegularFile(beside) && Files.notExists(target.resolve(name))) {
                sync(Files.copy(beside, target.resolve(name)));
            }
        }
    }

    private void writeWeights(Path file) throws IOException {
        CheckpointConversion conversion = new CheckpointConversion(source, format);
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, conversion.metadata(), conversion.layout())) {
            for (Tensor tensor : checkpoint.tensors().values()) {
                String name = conversion.name(tensor);
                MappedSource mapped = new MappedSource(tensor.data());
                conversion.convert(tensor, mapped, piece -> {
                    writer.write(name, piece);
                    read(mapped.taken());
                });
            }
            writer.commit();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e); // mapped memory waits for nothing
        }
    }

    /** The bytes of a tensor that is in memory. */
    private static final class MappedSource implements CheckpointConversion.Source {

        private final MemorySegment data;
        private long position;
        private long counted;

        MappedSource(MemorySegment data) {
            this.data = data;
        }

        @Override
        public MemorySegment next(long bytes) {
            position += bytes;
            return data.asSlice(position - bytes, bytes);
        }

        /** Bytes since the last call. */
        long taken() {
            long taken = position - counted;
            counted = position;
            return taken;
        }
    }

    private void read(long bytes) {
        bytesRead += bytes;
        progress.done(bytesRead, checkpoint.byteSize());
    }

    /** Flushes a file or directory to disk. */
    private static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (java.nio.file.AccessDeniedException e) {
            // Windows cannot open directories, and need not sync them
        }
    }
}
