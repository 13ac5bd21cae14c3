package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.Repeat;
import dev.xlstm.grammar.RuleBody.RuleCall;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

import static dev.xlstm.grammar.RuleBody.choice;
import static dev.xlstm.grammar.RuleBody.literal;
import static dev.xlstm.grammar.RuleBody.optional;
import static dev.xlstm.grammar.RuleBody.sequence;

/**
 * Compiles a JSON Schema to a grammar. Every text of the grammar is valid under the schema, but not every valid text is in
 * the grammar: properties appear in the order listed; unlisted ones appear only where {@code additionalProperties} is
 * present or no property is listed; white space is at most one space, or a line break and an indentation; numbers are
 * limited in length, and strings and arrays at the limit of repetitions. A schema with {@code properties}, {@code items}
 * or the like but without a type describes objects or arrays only. A keyword that constrains the value and is not
 * supported is an error that names it. A name of an additional property may occur twice. Unique items appear in any order if
 * they are few, else in the order listed.
 */
final class JsonSchema {

    static final Map<String, List<String>> KEYWORDS = Map.of(
            "object",
            List.of(
                    "properties",
                    "required",
                    "additionalProperties",
                    "patternProperties",
                    "minProperties",
                    "maxProperties"),
            "array",
            List.of("items", "prefixItems", "minItems", "maxItems", "additionalItems", "uniqueItems"),
            "string",
            List.of("minLength", "maxLength", "pattern", "format"),
            "number",
            List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"));

    private static final Set<String> GENERAL = Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

    private static final RuleBody SPACE = new RuleCall("space");
    private static final RuleBody ANY = new RuleCall("value");

    private final SchemaDocument document;
    private final SchemaOverlap overlap;
    private final RuleSet rules = new RuleSet();
    private final Deque<String> referred = new ArrayDeque<>(); // references whose rules are not built yet

    private JsonSchema(String schema) {
        document = new SchemaDocument(schema);
        overlap = new SchemaOverlap(document);
        rules.put(
                "space",
                optional(choice(
                        literal(" "),
                        sequence(literal("\n"), new Repeat(new RuleBody.OneOf(CharSet.of(" \t")), 0, 20)))));
        rules.put("char", JsonStrings.ANY_CHAR);
        rules.put("string", JsonStrings.quoted(new Repeat(new RuleCall("char"), 0, RuleBody.UNLIMITED)));
        rules.put("number", JsonNumbers.ANY);
        rules.put(
                "value",
                choice(
                        new RuleCall("object"),
                        new RuleCall("array"),
                        new RuleCall("string"),
                        new RuleCall("number"),
                        literal("true"),
                        literal("false"),
                        literal("null")));
        rules.put("object", list("{", sequence(new RuleCall("string"), literal(":"), SPACE, ANY), "}"));
        rules.put("array", list("[", ANY, "]"));
    }

    static Grammar toGrammar(String schema) {
        JsonSchema made = new JsonSchema(schema);
        made.rules.put("root", made.schema(made.document.root, "#", 0));
        while (!made.referred.isEmpty()) {
            String reference = made.referred.poll();
            JsonNode target = made.document.resolve(reference, reference);
            made.rules.put(nameOf(reference), made.schema(target, reference, 0));
        }
        return made.rules.toGrammar(schema).withIgnored(made.document.ignored());
    }

    private static RuleBody list(String open, RuleBody item, String close) {
        RuleBody more = new Repeat(sequence(literal(","), SPACE, item), 0, RuleBody.UNLIMITED);
        return sequence(literal(open), SPACE, optional(sequence(item, more, SPACE)), literal(close));
    }

    /** Whether the keyword constrains the value and is supported. */
    static boolean isSupported(String key) {
        return GENERAL.contains(key) || KEYWORDS.values().stream().anyMatch(keys -> keys.contains(key));
    }

    private RuleBody schema(JsonNode schema, String where, int depth) {
        if (depth > GrammarLimits.NESTING) {
            throw SchemaDocument.error(where, "schemas nested deeper than " + GrammarLimits.NESTING);
        }
        if (schema.isBoolean()) {
            if (!schema.booleanValue()) {
                throw SchemaDocument.error(where, "false allows no value");
            }
            return ANY;
        }
        if (!schema.isObject()) {
            throw SchemaDocument.error(where, "a schema is an object, true or false, not " + schema);
        }
        document.checkKeywords((ObjectNode) schema, where);
        if (schema.has("$ref")) {
            ObjectNode rest = (ObjectNode) schema.deepCopy();
            rest.remove("$ref");
            if (!SchemaDocument.constrains(rest)) {
                return reference(schema.get("$ref").stringValue(""), where);
            }
        }
        JsonNode flat = document.flatten(schema, where);
        if (!flat.isObject()) {
            return schema(flat, where, depth + 1);
        }
        document.checkKeywords((ObjectNode) flat, where);
        if (flat.has("anyOf") || flat.has("oneOf")) {
            return alternatives((ObjectNode) flat, where, depth);
        }
        if (flat.has("enum") || flat.has("const")) {
            return constants((ObjectNode) flat, where);
        }
        if (!SchemaDocument.constrains((ObjectNode) flat)) {
            return ANY;
        }
        List<RuleBody> types = new ArrayList<>();
        for (String type : typesOf(flat, where)) {
            types.add(typed(type, (ObjectNode) flat, where, depth));
        }
        return choice(types);
    }

    private static String nameOf(String reference) {
        return "$ref " + reference;
    }

    private RuleBody reference(String reference, String where) {
        String name = nameOf(reference);
        if (!rules.contains(name)) {
            document.resolve(reference, where); // fails here if it does not resolve
            rules.put(name, ANY); // placeholder until it is built
            referred.add(reference);
        }
        return new RuleCall(name);
    }

    private RuleBody alternatives(ObjectNode schema, String where, int depth) {
        String key = schema.has("anyOf") ? "anyOf" : "oneOf";
        if (schema.has("anyOf") && schema.has("oneOf")) {
            throw SchemaDocument.error(where, "\"anyOf\" beside \"oneOf\" is not supported");
        }
        ObjectNode base = schema.deepCopy();
        base.remove(key);
        boolean bare = !SchemaDocument.constrains(base);
        List<JsonNode> branches = new ArrayList<>();
        for (JsonNode branch : SchemaDocument.elements(schema, key, where)) {
            branches.add(bare ? branch : document.merge(base, document.flatten(branch, where), where));
        }
        List<RuleBody> ways = new ArrayList<>();
        for (int i = 0; i < branches.size(); i++) {
            for (int j = 0; j < i && key.equals("oneOf"); j++) {
                if (!overlap.disjoint(branches.get(j), branches.get(i), where)) {
                    throw SchemaDocument.error(
                            where,
                            "\"oneOf\": a value may match alternatives " + (j + 1) + " and " + (i + 1)
                                    + "; use \"anyOf\", or tell them apart by type or by a required constant");
                }
            }
            ways.add(schema(branches.get(i), where + "/" + key + "/" + i, depth + 1));
        }
        return choice(ways);
    }

    private RuleBody constants(ObjectNode schema, String where) {
        return choice(constantsOf(schema, where).stream()
                .map(value -> (RuleBody) new Literal(SchemaDocument.write(value)))
                .toList());
    }

    /** The values of {@code enum} or {@code const} that have the schema's type. */
    private static List<JsonNode> constantsOf(ObjectNode schema, String where) {
        for (String key : schema.propertyNames()) {
            if (!SchemaDocument.isAnnotation(key)
                    && !Set.of("enum", "const", "type", "minLength", "maxLength")
                            .contains(key)) {
                throw SchemaDocument.error(where, "\"" + key + "\" beside \"enum\" or \"const\" is not supported");
            }
        }
        List<JsonNode> values = new ArrayList<>();
        if (schema.has("const")) {
            if (!schema.has("enum") || SchemaDocument.contains(schema.get("enum"), schema.get("const"))) {
                values.add(schema.get("const"));
            }
        } else if (schema.get("enum").isArray()) {
            schema.get("enum").forEach(values::add);
        }
        Set<String> types = schema.has("type") ? SchemaDocument.types(schema.get("type"), where) : null;
        if (types != null) {
            values.removeIf(value -> types.stream().noneMatch(type -> hasType(value, type)));
        }
        int min = count(schema, "minLength", 0, where);
        int max = count(schema, "maxLength", RuleBody.UNLIMITED, where);
        values.removeIf(value -> value.isString() && !hasLength(value.stringValue(), min, max));
        if (values.isEmpty()) {
            throw SchemaDocument.error(where, "\"enum\" or \"const\" leaves no value");
        }
        return values;
    }

    private static boolean hasLength(String text, int min, int max) {
        int length = text.codePointCount(0, text.length());
        return length >= min && (max == RuleBody.UNLIMITED || length <= max);
    }

    private static boolean hasType(JsonNode value, String type) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isString();
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            case "number" -> value.isNumber();
            default ->
                value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
        };
    }

    /** The types of the values to generate. */
    static Set<String> typesOf(JsonNode schema, String where) {
        if (schema.has("type")) {
            Set<String> types = SchemaDocument.types(schema.get("type"), where);
            if (types.contains("number")) {
                types.remove("integer");
            }
            return types;
        }
        Set<String> types = new LinkedHashSet<>();
        if (schema.has("enum") || schema.has("const")) {
            for (String type : List.of("object", "array", "string", "number", "boolean", "null")) {
                boolean any = schema.has("const") && hasType(schema.get("const"), type);
                for (JsonNode value : schema.path("enum")) {
                    any |= hasType(value, type);
                }
                if (any) {
                    types.add(type);
                }
            }
            return types;
        }
        KEYWORDS.forEach((type, keys) -> {
            if (keys.stream().anyMatch(schema::has)) {
                types.add(type);
            }
        });
        return types.isEmpty() ? Set.of("object", "array", "string", "number", "boolean", "null") : types;
    }

    private RuleBody typed(String type, ObjectNode schema, String where, int depth) {
        return switch (type) {
            case "object" -> object(schema, where, depth);
            case "array" -> array(schema, where, depth);
            case "string" -> SchemaStrings.compile(schema, rules, document, where);
            case "number" -> SchemaNumbers.number(schema, rules, where);
            case "integer" -> SchemaNumbers.integer(schema, rules, where);
            case "boolean" -> choice(literal("true"), literal("false"));
            default -> literal("null");
        };
    }

    static Set<String> required(JsonNode schema, String where) {
        Set<String> names = new LinkedHashSet<>();
        for (JsonNode name : schema.path("required")) {
            if (!name.isString()) {
                throw SchemaDocument.error(where, "\"required\" must be a list of names");
            }
            names.add(name.stringValue());
        }
        return names;
    }

    private static JsonNode schemas(ObjectNode schema, String key, String where) {
        if (schema.has(key) && !schema.get(key).isObject()) {
            throw SchemaDocument.error(where, "\"" + key + "\" must be an object of schemas");
        }
        return schema.path(key);
    }

    private static boolean isFalse(JsonNode schema) {
        return schema.isBoolean() && !schema.booleanValue();
    }

    private RuleBody object(ObjectNode schema, String where, int depth) {
        JsonNode properties = schemas(schema, "properties", where);
        JsonNode patterns = schemas(schema, "patternProperties", where);
        Set<String> required = required(schema, where);
        JsonNode additional = schema.get("additionalProperties");
        int min = count(schema, "minProperties", 0, where);
        int max = count(schema, "maxProperties", RuleBody.UNLIMITED, where);
        Set<String> listed = new LinkedHashSet<>(properties.propertyNames());
        listed.addAll(required);
        boolean any = listed.isEmpty() && additional == null && patterns.isEmpty() && !schema.has("properties");
        if (any && min == 0 && max == RuleBody.UNLIMITED) {
            return new RuleCall("object");
        }
        PropertyNames names = new PropertyNames(listed, patterns, where);
        RuleBody other = additional == null
                ? ANY
                : isFalse(additional)
                        ? null
                        : rules.share(schema(additional, where + "/additionalProperties", depth + 1));
        List<RuleBody> members = new ArrayList<>();
        List<Boolean> optional = new ArrayList<>();
        for (String name : listed) {
            boolean needed = required.contains(name);
            JsonNode matched = names.schemaOf(name);
            JsonNode own = properties.get(name);
            JsonNode both = own == null ? matched : matched == null ? own : SchemaDocument.together(own, matched);
            String below = where + "/properties/" + name.replace("~", "~0").replace("/", "~1");
            if (both != null && !needed && isFalse(document.flatten(both, below))) {
                continue;
            }
            RuleBody value = both == null ? other : schema(both, below, depth + 1);
            if (value == null) {
                throw SchemaDocument.error(where, "the property \"" + name + "\" is required but not allowed");
            }
            String key = "\"" + JsonStrings.escaped(name) + "\":";
            members.add(sequence(new Literal(key), SPACE, needed ? value : rules.share(value)));
            optional.add(!needed);
        }
        boolean open = additional != null || !schema.has("properties") && patterns.isEmpty();
        List<RuleBody> others = new ArrayList<>();
        for (PropertyNames.Kind kind : names.kinds()) {
            JsonNode matched = kind.schema();
            RuleBody value = null;
            if (matched == null) {
                value = open ? other : null;
            } else if (!isFalse(document.flatten(matched, where))) {
                value = rules.share(schema(matched, where + "/patternProperties", depth + 1));
            }
            RuleBody key = value == null ? null : names.strings(kind, rules);
            if (key != null) {
                others.add(sequence(key, literal(":"), SPACE, value));
            }
        }
        OrderedItems items = new OrderedItems(
                members, optional, others.isEmpty() ? null : rules.share(choice(others)), min, max, rules);
        RuleBody inside = items.compile();
        if (inside == null) {
            throw SchemaDocument.error(
                    where,
                    "no object that can be generated has so many properties (\"minProperties\" " + min
                            + (max == RuleBody.UNLIMITED ? "" : ", \"maxProperties\" " + max)
                            + "): names that are not listed count as one");
        }
        return sequence(literal("{"), SPACE, inside, literal("}"));
    }

    private RuleBody array(ObjectNode schema, String where, int depth) {
        boolean tuple = schema.path("items").isArray(); // syntax of drafts before 2020-12
        List<JsonNode> prefix = tuple && schema.get("items").isEmpty()
                ? List.of()
                : SchemaDocument.elements(schema, tuple ? "items" : "prefixItems", where);
        JsonNode items = tuple ? schema.get("additionalItems") : schema.get("items");
        boolean closed = items != null && items.isBoolean() && !items.booleanValue();
        int min = count(schema, "minItems", 0, where);
        int max = count(schema, "maxItems", RuleBody.UNLIMITED, where);
        if (closed) {
            max = max == RuleBody.UNLIMITED ? prefix.size() : Math.min(max, prefix.size());
        }
        if (max != RuleBody.UNLIMITED && max < min) {
            throw SchemaDocument.error(
                    where, "an array cannot have at least " + min + " and at most " + max + " items");
        }
        if (max == 0) {
            return sequence(literal("["), SPACE, literal("]"));
        }
        if (isUnique(schema, where) && max != 1) {
            if (!prefix.isEmpty() || items == null || closed) {
                throw uniqueItems(where);
            }
            return unique(items, min, max, where);
        }
        boolean some = prefix.isEmpty() || items != null || min > prefix.size(); // items after the prefix are generated
        RuleBody item =
                closed || !some ? null : items == null ? ANY : rules.share(schema(items, where + "/items", depth + 1));
        // built from the last item to the first: what follows item i
        RuleBody rest = RuleBody.EMPTY;
        int fixed = max == RuleBody.UNLIMITED ? prefix.size() : Math.min(prefix.size(), max);
        if (item != null && (max == RuleBody.UNLIMITED || max > fixed)) {
            int from = Math.max(fixed, 1); // the first item has no comma before it
            rest = new Repeat(
                    sequence(literal(","), SPACE, item),
                    Math.max(0, min - from),
                    max == RuleBody.UNLIMITED ? max : max - from);
        }
        for (int i = fixed - 1; i >= 0; i--) {
            RuleBody element = schema(prefix.get(i), where + "/prefixItems/" + i, depth + 1);
            RuleBody following = rules.add("items", rest);
            rest = i == 0 ? sequence(element, following) : sequence(literal(","), SPACE, element, following);
            rest = i > 0 && i >= min ? optional(rest) : rest;
        }
        RuleBody all = sequence(fixed == 0 ? sequence(item, rest) : rest, SPACE);
        return sequence(literal("["), SPACE, min == 0 ? optional(all) : all, literal("]"));
    }

    private static boolean isUnique(ObjectNode schema, String where) {
        JsonNode unique = schema.path("uniqueItems");
        if (schema.has("uniqueItems") && !unique.isBoolean()) {
            throw SchemaDocument.error(where, "\"uniqueItems\" must be true or false");
        }
        return unique.asBoolean(false);
    }

    private static GrammarException uniqueItems(String where) {
        return SchemaDocument.error(
                where, "\"uniqueItems\" is supported only for items that are an enum, booleans or null");
    }

    /** An array of different values. */
    private RuleBody unique(JsonNode items, int min, int max, String where) {
        List<JsonNode> values = new ArrayList<>();
        collectValues(items, values, where, 0);
        List<RuleBody> texts = values.stream()
                .map(value -> literal(SchemaDocument.write(value)))
                .toList();
        RuleBody inside = texts.size() <= GrammarLimits.PERMUTED
                ? permutations(texts, min, max)
                : new OrderedItems(texts, Collections.nCopies(texts.size(), true), null, min, max, rules).compile();
        if (inside == null) {
            throw SchemaDocument.error(
                    where, "\"minItems\" " + min + " is more than the " + texts.size() + " different items");
        }
        return sequence(literal("["), SPACE, inside, literal("]"));
    }

    /** All values of a schema, each once; fails if they are not a finite set that can be listed. */
    private void collectValues(JsonNode schema, List<JsonNode> values, String where, int depth) {
        JsonNode flat = document.flatten(schema, where);
        if (!flat.isObject() || depth > GrammarLimits.NESTING) {
            throw uniqueItems(where);
        }
        document.checkKeywords((ObjectNode) flat, where);
        String branches = flat.has("anyOf") ? "anyOf" : "oneOf";
        ObjectNode rest = (ObjectNode) flat.deepCopy();
        rest.remove(branches);
        if (flat.has(branches) && !SchemaDocument.constrains(rest)) {
            for (JsonNode branch : SchemaDocument.elements(flat, branches, where)) {
                collectValues(branch, values, where, depth + 1);
            }
            return;
        }
        Set<String> types = typesOf(flat, where);
        List<JsonNode> found = new ArrayList<>();
        if (flat.has("enum") || flat.has("const")) {
            found.addAll(constantsOf((ObjectNode) flat, where));
        } else if (flat.has("type") && Set.of("boolean", "null").containsAll(types)) {
            JsonNodeFactory nodes = JsonNodeFactory.instance;
            if (types.contains("boolean")) {
                found.addAll(List.of(nodes.booleanNode(true), nodes.booleanNode(false)));
            }
            if (types.contains("null")) {
                found.add(nodes.nullNode());
            }
        } else {
            throw uniqueItems(where);
        }
        for (JsonNode value : found) {
            if (!SchemaDocument.contains(JsonNodeFactory.instance.arrayNode().addAll(values), value)) {
                values.add(value);
            }
        }
    }

    /** Between min and max different items in any order; null if there are too few. */
    private RuleBody permutations(List<RuleBody> items, int min, int max) {
        int all = 1 << items.size();
        RuleBody[] after = new RuleBody[all]; // [set of items used]
        for (int used = all - 1; used >= 0; used--) {
            int count = Integer.bitCount(used);
            List<RuleBody> ways = new ArrayList<>();
            for (int i = 0; i < items.size() && (max == RuleBody.UNLIMITED || count < max); i++) {
                RuleBody next = (used & 1 << i) != 0 ? null : after[used | 1 << i];
                if (next != null) {
                    ways.add(
                            used == 0
                                    ? sequence(items.get(i), next)
                                    : sequence(literal(","), SPACE, items.get(i), next));
                }
            }
            if (count >= min) {
                ways.add(used == 0 ? RuleBody.EMPTY : SPACE);
            }
            after[used] = ways.isEmpty() ? null : used == 0 ? choice(ways) : rules.add("unique", choice(ways));
        }
        return after[0];
    }

    /** A count; a maximum is capped at the limit of repetitions, which only omits values. */
    static int count(ObjectNode schema, String key, int absent, String where) {
        JsonNode value = schema.get(key);
        if (value == null) {
            return absent;
        }
        if (!value.isNumber() || value.decimalValue().signum() < 0 || !hasType(value, "integer")) {
            throw SchemaDocument.error(where, "\"" + key + "\" must be a whole number, not " + value);
        }
        BigDecimal limit = BigDecimal.valueOf(GrammarLimits.REPETITIONS);
        if (value.decimalValue().compareTo(limit) > 0) {
            if (key.startsWith("min")) {
                throw SchemaDocument.error(where, "\"" + key + "\" above " + limit + " is not supported");
            }
            return GrammarLimits.REPETITIONS;
        }
        return value.decimalValue().intValueExact();
    }
}
