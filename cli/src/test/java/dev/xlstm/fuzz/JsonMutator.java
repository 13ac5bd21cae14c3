package dev.xlstm.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamWriteConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ContainerNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.util.RawValue;

/**
 * Changes one value of a JSON document: another type, another size, a number at the edge, a key too few, too many or twice.
 * What is no JSON is changed as text.
 */
final class JsonMutator implements Mutator {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final JsonMapper MAPPER = new JsonMapper(JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(500).build())
            .streamWriteConstraints(
                    StreamWriteConstraints.builder().maxNestingDepth(1 << 17).build())
            .build());
    private static final String[] NUMBERS = {
        "0",
        "-1",
        "1",
        "2",
        "3",
        "64",
        "-0.0",
        "0.5",
        "1e-30",
        "1e30",
        "1e400",
        "-1e400",
        "2147483647",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "1" + "0".repeat(60),
        "1.00000000000000000000001"
    };

    private final List<String> words;
    private final Mutator text;

    /** @param words keys and strings that the format knows */
    JsonMutator(List<String> words) {
        this.words = words;
        this.text =
                Mutator.text(List.of("{", "}", "[", "]", ":", ",", "\"", "null", "true", "\"a\":", "[1,", "{\"a\":"));
    }

    @Override
    public byte[] mutate(byte[] input, byte[] other, Random random) {
        if (random.nextInt(8) == 0) {
            return text.mutate(input, other, random);
        }
        try {
            JsonNode root = MAPPER.readTree(input);
            List<ContainerNode<?>> containers = new ArrayList<>();
            collect(root, containers);
            if (containers.isEmpty()) {
                return text.mutate(input, other, random);
            }
            change(containers.get(random.nextInt(containers.size())), containers, random);
            return MAPPER.writeValueAsString(root).getBytes(StandardCharsets.UTF_8);
        } catch (JacksonException e) {
            return text.mutate(input, other, random);
        }
    }

    private static void collect(JsonNode node, List<ContainerNode<?>> to) {
        if (node instanceof ContainerNode<?> container) {
            to.add(container);
            container.forEach(child -> collect(child, to));
        }
    }

    private void change(ContainerNode<?> container, List<ContainerNode<?>> all, Random random) {
        if (container instanceof ObjectNode object) {
            List<String> keys = new ArrayList<>(object.propertyNames());
            String key = keys.isEmpty() ? word(random) : keys.get(random.nextInt(keys.size()));
            switch (random.nextInt(6)) {
                case 0:
                    object.remove(key);
                    break;
                case 1: // the same key once more
                    JsonNode value = value(object.get(key), all, random);
                    object.putRawValue(key, new RawValue(json(object.get(key)) + ",\"" + key + "\":" + json(value)));
                    break;
                case 2:
                    object.set(word(random), value(object.get(key), all, random));
                    break;
                case 3:
                    object.set(spoiled(key, random), object.get(key));
                    break;
                default:
                    object.set(key, value(object.get(key), all, random));
            }
        } else if (container instanceof ArrayNode array) {
            int at = array.isEmpty() ? 0 : random.nextInt(array.size());
            JsonNode element = array.isEmpty() ? NODES.nullNode() : array.get(at);
            switch (random.nextInt(4)) {
                case 0:
                    array.remove(at);
                    break;
                case 1:
                    int room = (1 << 20) / (1 + json(element).length());
                    for (int i = Math.min(room, Mutator.many(random)); i > 0; i--) {
                        array.add(element);
                    }
                    break;
                case 2:
                    array.insert(at, value(element, all, random));
                    break;
                default:
                    if (!array.isEmpty()) {
                        array.set(at, value(element, all, random));
                    }
            }
        }
    }

    private static String json(JsonNode node) {
        return node == null ? "null" : MAPPER.writeValueAsString(node);
    }

    private JsonNode value(JsonNode old, List<ContainerNode<?>> all, Random random) {
        switch (random.nextInt(10)) {
            case 0:
                return NODES.nullNode();
            case 1:
                return NODES.booleanNode(random.nextBoolean());
            case 2, 3:
                return NODES.rawValueNode(new RawValue(NUMBERS[random.nextInt(NUMBERS.length)]));
            case 4:
                if (old != null && old.isIntegralNumber()) {
                    return NODES.numberNode(old.asLong(0) + random.nextInt(-2, 3));
                }
                return NODES.stringNode(word(random));
            case 5:
                return NODES.stringNode(word(random));
            case 6:
                String was = old != null && old.isString() ? old.stringValue() : word(random);
                return NODES.stringNode(spoiled(was, random));
            case 7: // in arrays or objects
                int depth = Math.min(1 << 13, Mutator.many(random));
                boolean objects = random.nextBoolean();
                return NODES.rawValueNode(new RawValue(
                        (objects ? "{\"a\":" : "[").repeat(depth) + json(old) + (objects ? "}" : "]").repeat(depth)));
            case 8:
                return random.nextBoolean() ? NODES.objectNode() : NODES.arrayNode();
            default: // a copy of another part
                return NODES.rawValueNode(new RawValue(json(all.get(random.nextInt(all.size())))));
        }
    }

    private String word(Random random) {
        return random.nextInt(6) == 0 ? spoiled("a", random) : words.get(random.nextInt(words.size()));
    }

    private String spoiled(String text, Random random) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new String(Mutator.text(words).mutate(bytes, bytes, random), StandardCharsets.UTF_8);
    }
}
