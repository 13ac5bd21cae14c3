package dev.xlstm.safetensors;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The checked JSON header of a file: its tensors and the offsets of their bytes.
 *
 * @param entries in the order of their bytes
 * @param metadata the strings under {@code __metadata__}
 */
record Header(List<Entry> entries, Map<String, String> metadata) {

    static final String METADATA = "__metadata__";

    /** A tensor and the offsets {@code [begin, end)} of its bytes, from the end of the header. */
    record Entry(TensorInfo info, long begin, long end) {}

    /**
     * Reads and checks a header.
     *
     * @param file for messages
     * @param json the header's bytes
     * @param dataLength bytes that follow the header in the file
     */
    static Header parse(Path file, ByteBuffer json, long dataLength) throws SafetensorsException {
        List<Entry> entries = new ArrayList<>();
        Map<String, String> metadata = null;
        Set<String> names = new HashSet<>();
        try (JsonSource in = JsonSource.of(file, "the header", json)) {
            in.beginObject("the header");
            for (String name = in.nextKey(); name != null; name = in.nextKey()) {
                if (!names.add(name)) {
                    throw in.problem("the name '" + name + "' occurs twice in the header");
                }
                if (name.equals(METADATA)) {
                    metadata = readMetadata(in);
                } else if (entries.size() == SafetensorsLimits.TENSORS) {
                    throw in.problem("more than " + SafetensorsLimits.TENSORS + " tensors");
                } else {
                    entries.add(readEntry(in, name));
                }
            }
            in.end();
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        checkLayout(file, entries, dataLength);
        return new Header(List.copyOf(entries), metadata == null ? Map.of() : metadata);
    }

    private static Map<String, String> readMetadata(JsonSource in) throws SafetensorsException {
        Map<String, String> metadata = new LinkedHashMap<>();
        long length = 0;
        in.beginObject(METADATA);
        for (String key = in.nextKey(); key != null; key = in.nextKey()) {
            String value = in.string(METADATA + " '" + key + "'");
            length += key.length() + value.length();
            if (length > SafetensorsLimits.METADATA_LENGTH) {
                throw in.problem(METADATA + " is longer than " + SafetensorsLimits.METADATA_LENGTH + " characters");
            }
            if (metadata.put(key, value) != null) {
                throw in.problem("the key '" + key + "' occurs twice in " + METADATA);
            }
        }
        return metadata;
    }

    private static Entry readEntry(JsonSource in, String name) throws SafetensorsException {
        DType dtype = null;
        long[] shape = null;
        long[] offsets = null;
        String tensor = "tensor '" + name + "'";
        in.beginObject(tensor);
        for (String key = in.nextKey(); key != null; key = in.nextKey()) {
            String field = tensor + ": " + key;
            if (key.equals("dtype")) {
                refuseTwice(in, field, dtype);
                dtype = dtype(in, field);
            } else if (key.equals("shape")) {
                refuseTwice(in, field, shape);
                shape = in.naturals(field, SafetensorsLimits.DIMENSIONS);
            } else if (key.equals("data_offsets")) {
                refuseTwice(in, field, offsets);
                offsets = in.naturals(field, 2);
            } else {
                in.skipValue(); // as the reference does
            }
        }
        if (dtype == null || shape == null || offsets == null) {
            throw in.problem(tensor + " lacks "
                    + (dtype == null ? "its dtype" : shape == null ? "its shape" : "its data_offsets"));
        }
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw in.problem(tensor + ": data_offsets " + Arrays.toString(offsets) + " are not a range");
        }
        Entry entry = new Entry(new TensorInfo(name, dtype, shape), offsets[0], offsets[1]);
        checkLength(in, tensor, entry);
        return entry;
    }

    private static void refuseTwice(JsonSource in, String field, Object before) throws SafetensorsException {
        if (before != null) {
            throw in.problem(field + " occurs twice");
        }
    }

    private static DType dtype(JsonSource in, String field) throws SafetensorsException {
        String name = in.string(field);
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(name)) {
                return dtype;
            }
        }
        throw in.problem(field + " is '" + name + "', which is none of " + Arrays.toString(DType.values()));
    }

    private static void checkLength(JsonSource in, String tensor, Entry entry) throws SafetensorsException {
        long length = entry.end - entry.begin;
        long expected;
        try {
            expected = entry.info.byteSize();
        } catch (ArithmeticException e) {
            throw in.problem(tensor + ": the shape " + Arrays.toString(entry.info.shape()) + " of " + entry.info.dtype()
                    + " does not make a number of bytes");
        }
        if (length != expected) {
            throw in.problem(tensor + " has " + length + " bytes, but " + entry.info.dtype()
                    + Arrays.toString(entry.info.shape()) + " takes " + expected);
        }
    }

    /** The tensors must fill the data exactly, as the reference requires: no hidden and no shared bytes. */
    private static void checkLayout(Path file, List<Entry> entries, long dataLength) throws SafetensorsException {
        long position = 0;
        for (Entry entry : entries) {
            String tensor = "tensor '" + entry.info.name() + "'";
            if (entry.end > dataLength) {
                throw new SafetensorsException(
                        file,
                        tensor + " ends at byte " + entry.end + " of the data, but the file holds only " + dataLength
                                + "; it seems truncated, fetch it again");
            }
            if (entry.begin < position) {
                throw new SafetensorsException(file, tensor + " overlaps the tensor before it");
            }
            if (entry.begin > position) {
                throw new SafetensorsException(
                        file, (entry.begin - position) + " bytes before " + tensor + " belong to no tensor");
            }
            position = entry.end;
        }
        if (position < dataLength) {
            throw new SafetensorsException(
                    file, (dataLength - position) + " bytes after the last tensor belong to no tensor");
        }
    }
}
