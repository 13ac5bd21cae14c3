package dev.xlstm.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Changes a safetensors file in its header, with a length that fits, or in its data, at times by a float that no model
 * should hold. With {@code sealed}, most results get the checksum of a state file, so that what is behind that check is
 * reached.
 */
record SafetensorsMutator(List<String> words, boolean sealed) implements Mutator {

    private static final float[] FLOATS = {
        Float.NaN,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MAX_VALUE,
        -Float.MAX_VALUE,
        Float.MIN_VALUE,
        0
    };

    @Override
    public byte[] mutate(byte[] input, byte[] other, Random random) {
        int header = headerLength(input);
        if (header < 0 || random.nextInt(10) == 0) {
            return Mutator.bytes().mutate(input, other, random);
        }
        byte[] json = Arrays.copyOfRange(input, 8, 8 + header);
        byte[] data = Arrays.copyOfRange(input, 8 + header, input.length);
        if (random.nextInt(4) > 0 || data.length < 4) {
            json = new JsonMutator(words).mutate(json, json, random);
        } else if (random.nextBoolean()) {
            int at = random.nextInt(data.length / 4) * 4;
            ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putFloat(at, FLOATS[random.nextInt(FLOATS.length)]);
        } else {
            data = Mutator.bytes().mutate(data, data, random);
        }
        if (sealed && random.nextInt(10) > 0) {
            json = withChecksum(json, data);
        }
        return ByteBuffer.allocate(8 + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data)
                .array();
    }

    private static int headerLength(byte[] file) {
        long length = file.length < 8
                ? -1
                : ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        return length < 0 || length > file.length - 8 ? -1 : (int) length;
    }

    /** As StateFile documents it: CRC-32C over the rest of the metadata and all tensors, each in the order of names. */
    private static byte[] withChecksum(byte[] json, byte[] data) {
        try {
            ObjectNode header = (ObjectNode) JsonMapper.shared().readTree(json);
            ObjectNode metadata = (ObjectNode) header.get("__metadata__");
            CRC32C crc = new CRC32C();
            Map<String, JsonNode> sorted = new TreeMap<>();
            metadata.forEachEntry(sorted::put);
            sorted.remove("checksum");
            sorted.forEach((key, value) -> {
                text(crc, key);
                text(crc, value.stringValue());
            });
            Map<String, JsonNode> tensors = new TreeMap<>();
            header.forEachEntry(tensors::put);
            tensors.remove("__metadata__");
            tensors.forEach((name, tensor) -> {
                StringBuilder shape = new StringBuilder();
                tensor.get("shape")
                        .forEach(n -> shape.append(shape.isEmpty() ? "" : ", ").append(n.asLong()));
                text(crc, name + " " + tensor.get("dtype").stringValue() + "[" + shape + "]");
                int begin = tensor.get("data_offsets").get(0).asInt();
                int end = tensor.get("data_offsets").get(1).asInt();
                crc.update(data, begin, end - begin);
            });
            metadata.put("checksum", String.format("crc32c:%08x", (int) crc.getValue()));
            return JsonMapper.shared().writeValueAsBytes(header);
        } catch (JacksonException | ClassCastException | NullPointerException | IndexOutOfBoundsException e) {
            return json; // no longer a state file at all
        }
    }

    private static void text(CRC32C crc, String text) {
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        crc.update(0);
    }
}
