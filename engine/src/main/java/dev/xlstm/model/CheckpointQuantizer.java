package dev.xlstm.model;

import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.SafetensorsWriter;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.Quantizer;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a model directory with quantised weights beside the original's other files. It takes a few rows of memory at a
 * time, and appears whole or not at all: what a killed run left behind, the next one clears away.
 */
public final class CheckpointQuantizer {

    private static final int PIECE_BYTES = 4 << 20; // of float32, read and written at once
    private static final String LOCK = "lock";

    /** Follows the work. */
    public interface Progress {

        /** @throws java.util.concurrent.CancellationException to stop; nothing is left behind */
        void done(long bytesRead, long bytesOfAll);
    }

    private final ModelDirectory source;
    private final Checkpoint checkpoint;
    private final WeightFormat format;
    private final Progress progress;
    private final Map<String, WeightMatrix> quantised = new LinkedHashMap<>(); // by name
    private long bytesRead;

    private CheckpointQuantizer(ModelDirectory source, WeightFormat format, Progress progress) throws IOException {
        this.source = source;
        this.checkpoint = source.checkpoint();
        this.format = format;
        this.progress = progress;
    }

    /**
     * Quantises a model.
     *
     * @param target a directory that does not exist yet, or is empty
     * @param format q8_0 or q4_0
     * @throws IOException if the source is damaged or quantised already, the target is in use, or writing fails
     * @throws IllegalArgumentException if there is no such format, or a weight is not finite
     */
    public static void quantize(ModelDirectory source, Path target, WeightFormat format, Progress progress)
            throws IOException {
        if (!format.isQuantized()) {
            throw new IllegalArgumentException(
                    "no quantised format '" + format + "'; there are " + Quantization.formats());
        }
        if (Quantization.isQuantized(source.checkpoint())) {
            throw new ModelException(source.path(), "is quantised already; quantise the original");
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

    /** Two runs must not write one directory; a lock, unlike a file, dies with its process. */
    private static FileChannel lock(Path partial) throws IOException {
        FileChannel channel =
                FileChannel.open(partial.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // held by this very process
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
                if (!weights && !name.startsWith(".") && Files.isRegularFile(file)) {
                    sync(Files.copy(file, target.resolve(name)));
                }
            }
        }
    }

    private void writeWeights(Path file) throws IOException {
        List<TensorInfo> layout = new ArrayList<>();
        for (Tensor tensor : checkpoint.tensors().values()) {
            WeightMatrix matrix = source.matrices().get(tensor.name());
            if (matrix == null || !Quantization.applies(tensor.name(), matrix.columns())) {
                layout.add(new TensorInfo(tensor.name(), tensor.dtype(), tensor.shape()));
            } else {
                quantised.put(tensor.name(), matrix);
                layout.add(Quantization.tensor(format, tensor.name(), matrix.rows(), matrix.columns()));
            }
        }
        Map<String, String> metadata = new LinkedHashMap<>(checkpoint.metadata());
        Quantization.describe(format, metadata);
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, metadata, layout)) {
            for (Tensor tensor : checkpoint.tensors().values()) {
                WeightMatrix matrix = quantised.get(tensor.name());
                if (matrix == null) {
                    writer.write(tensor.name(), tensor.data());
                    read(tensor.data().byteSize());
                } else {
                    writeQuantised(writer, tensor, matrix);
                }
            }
            writer.commit();
        }
    }

    private void writeQuantised(SafetensorsWriter writer, Tensor tensor, WeightMatrix matrix) throws IOException {
        int rows = matrix.rows();
        int columns = matrix.columns();
        int step = Math.max(1, PIECE_BYTES / (4 * columns) / Quantizer.PANEL_ROWS) * Quantizer.PANEL_ROWS;
        try (Arena arena = Arena.ofShared()) { // shared, as rows are quantised in parallel
            MemorySegment piece = arena.allocate(Quantizer.byteSize(format, step, columns), 8);
            for (int from = 0; from < rows; from += step) {
                int to = Math.min(from + step, rows);
                MemorySegment target = piece.asSlice(0, Quantizer.byteSize(format, to - from, columns));
                MatrixConverter.quantize(format, tensor.name(), matrix, from, to, target.fill((byte) 0));
                writer.write(tensor.name(), target);
                read(tensor.data().byteSize() / rows * (to - from));
            }
        }
    }

    private void read(long bytes) {
        bytesRead += bytes;
        progress.done(bytesRead, checkpoint.byteSize());
    }

    /** Brings a file or directory to the disk for good. */
    private static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (java.nio.file.AccessDeniedException e) {
            // Windows opens no directories, and needs no such step
        }
    }
}
