package dev.xlstm.grammar;

import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.ObjectNode;

/** A JSON Schema document: resolves references and merges schemas that must hold together. */
final class SchemaDocument {

    /** Known keywords that do not constrain the value. Unknown ones do not either (draft 2020-12, core 4.3.1). */
    private static final Set<String> ANNOTATIONS = Set.of(
            "$schema",
            "$id",
            "id",
            "$comment",
            "$defs",
            "definitions",
            "$anchor",
            "$vocabulary",
            "title",
            "description",
            "default",
            "example",
            "examples",
            "deprecated",
            "discriminator",
            "readOnly",
            "writeOnly",
            "contentEncoding",
            "contentMediaType",
            "contentSchema",
            "minContains", // no effect without contains
            "maxContains",
            "then", // no effect without if
            "else");

    /** Keywords of any draft that constrain the value and are not supported. */
    private static final Set<String> UNSUPPORTED = Set.of(
            "$dynamicRef",
            "$recursiveRef",
            "contains",
            "dependencies",
            "dependentRequired",
            "dependentSchemas",
            "disallow",
            "divisibleBy",
            "extends",
            "if",
            "not",
            "propertyNames",
            "unevaluatedItems",
            "unevaluatedProperties");

    private static final ObjectMapper MAPPER = new ObjectMapper();

    final JsonNode root;
    private final Set<String> ignored = new LinkedHashSet<>(); // unknown keywords and formats
    private long steps;

    SchemaDocument(String text) {
        GrammarLimits.checkSource("a JSON Schema", text);
        try {
            root = MAPPER.readTree(text);
        } catch (JacksonException e) {
            throw new GrammarException("the JSON Schema is not JSON: " + e.getOriginalMessage()
                    + (e.getLocation() == null
                            ? ""
                            : ", line " + e.getLocation().getLineNr() + ", column "
                                    + e.getLocation().getColumnNr()));
        }
        if (root == null || !root.isObject() && !root.isBoolean()) {
            throw new GrammarException("a JSON Schema is an object, or true");
        }
        checkNumbers(root);
    }

    private static void checkNumbers(JsonNode node) {
        if (node.isFloatingPointNumber() && !Double.isFinite(node.doubleValue())) {
            throw new GrammarException("the JSON Schema holds a number beyond 1e308");
        }
        node.forEach(SchemaDocument::checkNumbers);
    }

    static String write(JsonNode value) {
        return MAPPER.writeValueAsString(value);
    }

    static GrammarException error(String where, String problem) {
        return new GrammarException("schema " + where + ": " + problem);
    }

    /** Whether the schema has a keyword that constrains the value. */
    static boolean constrains(ObjectNode schema) {
        return schema.propertyNames().stream().anyMatch(key -> !isAnnotation(key));
    }

    static boolean isAnnotation(String key) {
        return !UNSUPPORTED.contains(key) && !JsonSchema.isSupported(key);
    }

    /**
     * Notes the unknown keywords of a schema.
     *
     * @throws GrammarException if a keyword constrains the value and is not supported
     */
    void checkKeywords(ObjectNode schema, String where) {
        for (String key : schema.propertyNames()) {
            if (UNSUPPORTED.contains(key)) {
                throw error(where, "the keyword \"" + key + "\" is not supported");
            } else if (isAnnotation(key) && !ANNOTATIONS.contains(key) && !key.startsWith("x-")) {
                ignore(key);
            }
        }
    }

    void ignore(String keyword) {
        ignored.add(keyword);
    }

    /** The unknown keywords and formats, which are treated as annotations. */
    List<String> ignored() {
        return List.copyOf(ignored);
    }

    /** Resolves a reference within the document. */
    JsonNode resolve(String reference, String where) {
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw error(
                    where,
                    "$ref \"" + reference + "\" is not supported: only references within the schema that "
                            + "begin with #/ are");
        }
        JsonNode at = root;
        for (String part : reference.substring(1).split("/", -1)) {
            if (at == root && part.isEmpty()) {
                continue; // before the first slash
            }
            String key = decoded(part, where).replace("~1", "/").replace("~0", "~");
            JsonNode next = at.isArray() && key.matches("\\d{1,6}") ? at.get(Integer.parseInt(key)) : at.get(key);
            if (next == null) {
                throw error(where, "$ref \"" + reference + "\" does not resolve");
            }
            at = next;
        }
        return at;
    }

    private static String decoded(String part, String where) {
        try {
            return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // % without two digits
            throw error(where, "$ref with \"" + part + "\" is not a URI");
        }
    }

    /** Counts the values of a schema as steps: merged schemas may double in size at each level. */
    private void count(JsonNode schema) {
        if (++steps > GrammarLimits.SCHEMA_STEPS) {
            throw new GrammarException("the JSON Schema takes more than " + GrammarLimits.SCHEMA_STEPS
                    + " steps to merge: use fewer $ref, allOf and oneOf");
        }
        schema.forEach(this::count);
    }

    /** The schema with its {@code $ref} and {@code allOf} merged in. */
    JsonNode flatten(JsonNode schema, String where) {
        return flatten(schema, where, 0);
    }

    private JsonNode flatten(JsonNode schema, String where, int depth) {
        if (depth > GrammarLimits.NESTING) {
            throw error(where, "$ref or allOf is circular");
        }
        if (!schema.isObject() || !schema.has("$ref") && !schema.has("allOf")) {
            count(MissingNode.getInstance());
            return schema;
        }
        count(schema);
        ObjectNode own = (ObjectNode) schema.deepCopy();
        own.remove(List.of("$ref", "allOf"));
        JsonNode whole = own;
        if (schema.has("$ref")) {
            String reference = schema.get("$ref").stringValue("");
            whole = merge(whole, flatten(resolve(reference, where), reference, depth + 1), where);
        }
        for (JsonNode part : elements(schema, "allOf", where)) {
            whole = merge(whole, flatten(part, where, depth + 1), where);
        }
        return whole;
    }

    /** The schemas under a keyword; empty if it is absent. */
    static List<JsonNode> elements(JsonNode schema, String key, String where) {
        JsonNode list = schema.get(key);
        if (list == null) {
            return List.of();
        }
        if (!list.isArray() || list.isEmpty()) {
            throw error(where, "\"" + key + "\" must be a list of schemas");
        }
        List<JsonNode> elements = new ArrayList<>();
        list.forEach(elements::add);
        return elements;
    }

    /** The conjunction of two flat schemas. */
    JsonNode merge(JsonNode a, JsonNode b, String where) {
        if (a.isBoolean() || b.isBoolean()) {
            JsonNode constant = a.isBoolean() ? a : b;
            return constant.booleanValue() ? constant == a ? b : a : constant;
        }
        count(a);
        count(b);
        ObjectNode merged = (ObjectNode) a.deepCopy();
        checkClosed(a, b, where);
        checkClosed(b, a, where);
        for (String key : b.propertyNames()) {
            JsonNode theirs = b.get(key);
            JsonNode ours = merged.get(key);
            if (ours == null || isAnnotation(key)) {
                if (ours == null) {
                    merged.set(key, theirs);
                }
            } else {
                merged.set(key, mergeKeyword(key, ours, theirs, where));
            }
        }
        return merged;
    }

    /** Rejects properties that one schema lists and the other forbids by {@code additionalProperties}. */
    private static void checkClosed(JsonNode closed, JsonNode other, String where) {
        JsonNode additional = closed.get("additionalProperties");
        if (additional == null || additional.isBoolean() && additional.booleanValue()) {
            return;
        }
        for (String kind : new String[] {"properties", "patternProperties"}) {
            for (String name : other.path(kind).propertyNames()) {
                if (!closed.path(kind).has(name)) {
                    throw error(
                            where,
                            "\"additionalProperties\" beside a part of the schema with other properties (" + name
                                    + ") is not supported");
                }
            }
        }
    }

    private JsonNode mergeKeyword(String key, JsonNode ours, JsonNode theirs, String where) {
        switch (key) {
            case "type":
                Set<String> both = new LinkedHashSet<>();
                Set<String> their = types(theirs, where);
                for (String type : types(ours, where)) {
                    if (their.contains(type)) {
                        both.add(type);
                    } else if (type.equals("integer") && their.contains("number")
                            || type.equals("number") && their.contains("integer")) {
                        both.add("integer");
                    }
                }
                if (both.isEmpty()) {
                    throw error(where, "no value has type " + ours + " and type " + theirs);
                }
                ArrayNode types = MAPPER.createArrayNode();
                both.forEach(types::add);
                return types;
            case "required":
                if (!ours.isArray() || !theirs.isArray()) {
                    throw error(where, "\"required\" must be a list of names");
                }
                ArrayNode names = (ArrayNode) ours.deepCopy();
                theirs.forEach(names::add);
                return names;
            case "properties":
                if (!ours.isObject() || !theirs.isObject()) {
                    throw error(where, "\"properties\" must be an object of schemas");
                }
                ObjectNode properties = (ObjectNode) ours.deepCopy();
                for (String name : theirs.propertyNames()) {
                    JsonNode own = properties.get(name);
                    JsonNode their_ = theirs.get(name);
                    properties.set(name, own == null || own.equals(their_) ? their_ : together(own, their_));
                }
                return properties;
            case "patternProperties":
                if (!ours.isObject() || !theirs.isObject()) {
                    throw error(where, "\"patternProperties\" must be an object of schemas");
                }
                ObjectNode patterns = (ObjectNode) ours.deepCopy();
                for (String pattern : theirs.propertyNames()) {
                    JsonNode own = patterns.get(pattern);
                    JsonNode other = theirs.get(pattern);
                    patterns.set(pattern, own == null || own.equals(other) ? other : together(own, other));
                }
                return patterns;
            case "uniqueItems":
                return ours.asBoolean(true) ? ours : theirs;
            case "items", "additionalProperties":
                return ours.equals(theirs) ? ours : together(ours, theirs);
            case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties":
                return number(ours, key, where).compareTo(number(theirs, key, where)) >= 0 ? ours : theirs;
            case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
                return number(ours, key, where).compareTo(number(theirs, key, where)) <= 0 ? ours : theirs;
            case "enum":
                ArrayNode common = MAPPER.createArrayNode();
                for (JsonNode value : ours) {
                    if (contains(theirs, value)) {
                        common.add(value);
                    }
                }
                return common;
            default:
                if (UNSUPPORTED.contains(key)) {
                    throw error(where, "the keyword \"" + key + "\" is not supported");
                } else if (!ours.equals(theirs)) {
                    throw error(where, "\"" + key + "\" given twice, differently, is not supported");
                }
                return ours;
        }
    }

    static ObjectNode together(JsonNode a, JsonNode b) {
        ObjectNode both = MAPPER.createObjectNode();
        both.putArray("allOf").add(a).add(b);
        return both;
    }

    /** The types that {@code type} names. */
    static Set<String> types(JsonNode type, String where) {
        Set<String> types = new LinkedHashSet<>();
        for (JsonNode name : type.isArray() ? type : MAPPER.createArrayNode().add(type)) {
            String text = name.stringValue("");
            if (!Set.of("object", "array", "string", "number", "integer", "boolean", "null")
                    .contains(text)) {
                throw error(where, "\"type\" " + name + " is not a type of JSON Schema");
            }
            types.add(text);
        }
        return types;
    }

    static BigDecimal number(JsonNode value, String key, String where) {
        if (!value.isNumber()) {
            throw error(where, "\"" + key + "\" must be a number, not " + value);
        }
        return value.decimalValue();
    }

    /** Whether a list contains a value; numbers compare by value. */
    static boolean contains(JsonNode list, JsonNode value) {
        for (JsonNode element : list) {
            if (element.equals(
                    (a, b) -> a.isNumber() && b.isNumber()
                            ? a.decimalValue().compareTo(b.decimalValue())
                            : a.equals(b) ? 0 : 1,
                    value)) {
                return true;
            }
        }
        return false;
    }
}
