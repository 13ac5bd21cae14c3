package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.Repeat;
import dev.xlstm.grammar.RuleBody.RuleCall;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
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
 * supported is an error that names it. A name of an additional property may occur twice.
 */
final class JsonSchema {

    private static final Map<String, List<String>> KEYWORDS = Map.of(
            "object", List.of("properties", "required", "additionalProperties"),
            "array", List.of("items", "prefixItems", "minItems", "maxItems", "additionalItems"),
            "string", List.of("minLength", "maxLength", "pattern", "format"),
            "number", List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"));

    private static final Set<String> GENERAL = Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

    private static final RuleBody SPACE = new RuleCall("space");
    private static final RuleBody ANY = new RuleCall("value");

    private final SchemaDocument document;
    private final SchemaOverlap overlap;
    private final Map<String, RuleBody> rules = new LinkedHashMap<>();
    private final Deque<String> referred = new ArrayDeque<>(); // references whose rules are not built yet

    private JsonSchema(String schema) {
        document = new SchemaDocument(schema);
        overlap = new SchemaOverlap(document);
        rules.putAll(Map.of(
                "space",
                        optional(choice(
                                literal(" "),
                                sequence(literal("\n"), new Repeat(new RuleBody.OneOf(CharSet.of(" \t")), 0, 20)))),
                "char", JsonStrings.ANY_CHAR,
                "string", JsonStrings.quoted(new Repeat(new RuleCall("char"), 0, RuleBody.UNLIMITED)),
                "number", JsonNumbers.ANY,
                "value",
                        choice(
                                new RuleCall("object"),
                                new RuleCall("array"),
                                new RuleCall("string"),
                                new RuleCall("number"),
                                literal("true"),
                                literal("false"),
                                literal("null")),
                "object", list("{", sequence(new RuleCall("string"), literal(":"), SPACE, ANY), "}"),
                "array", list("[", ANY, "]")));
    }

    static Grammar toGrammar(String schema) {
        JsonSchema made = new JsonSchema(schema);
        made.rules.put("root", made.schema(made.document.root, "#", 0));
        while (!made.referred.isEmpty()) {
            String reference = made.referred.poll();
            JsonNode target = made.document.resolve(reference, reference);
            made.rules.put(nameOf(reference), made.schema(target, reference, 0));
        }
        return new Grammar(made.rules, "root", schema);
    }

    private static RuleBody list(String open, RuleBody item, String close) {
        RuleBody more = new Repeat(sequence(literal(","), SPACE, item), 0, RuleBody.UNLIMITED);
        return sequence(literal(open), SPACE, optional(sequence(item, more, SPACE)), literal(close));
    }

    private void addRule(String name, RuleBody body) {
        if (rules.size() > GrammarLimits.RULES) {
            throw new GrammarException("the JSON Schema needs more than " + GrammarLimits.RULES + " rules");
        }
        rules.put(name, body);
    }

    /** Makes a rule of a part that is used more than once; inlined, it would double at each level of nesting. */
    private RuleBody shared(RuleBody part) {
        if (part instanceof RuleCall || part instanceof Literal || part instanceof RuleBody.OneOf) {
            return part;
        }
        RuleBody call = new RuleCall("part " + rules.size());
        addRule("part " + rules.size(), part);
        return call;
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
        checkKeywords((ObjectNode) schema, where);
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
        checkKeywords((ObjectNode) flat, where);
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

    private static void checkKeywords(ObjectNode schema, String where) {
        for (String key : schema.propertyNames()) {
            boolean off = key.equals("uniqueItems") && !schema.get(key).asBoolean(true);
            if (!off
                    && !SchemaDocument.isAnnotation(key)
                    && !GENERAL.contains(key)
                    && KEYWORDS.values().stream().noneMatch(keys -> keys.contains(key))) {
                throw SchemaDocument.error(where, "the keyword \"" + key + "\" is not supported");
            }
        }
    }

    private static String nameOf(String reference) {
        return "$ref " + reference;
    }

    private RuleBody reference(String reference, String where) {
        String name = nameOf(reference);
        if (!rules.containsKey(name)) {
            document.resolve(reference, where); // fails here if it does not resolve
            addRule(name, ANY); // placeholder until it is built
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
        for (String key : schema.propertyNames()) {
            if (!SchemaDocument.isAnnotation(key)
                    && !Set.of("enum", "const", "type").contains(key)) {
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
        List<RuleBody> texts = new ArrayList<>();
        for (JsonNode value : values) {
            if (types == null || types.stream().anyMatch(type -> hasType(value, type))) {
                texts.add(new Literal(SchemaDocument.write(value)));
            }
        }
        if (texts.isEmpty()) {
            throw SchemaDocument.error(where, "\"enum\" or \"const\" leaves no value");
        }
        return choice(texts);
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
            case "string" -> string(schema, where);
            case "number" -> number(schema, where);
            case "integer" -> integer(schema, where);
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

    private RuleBody object(ObjectNode schema, String where, int depth) {
        JsonNode properties = schema.path("properties");
        if (schema.has("properties") && !properties.isObject()) {
            throw SchemaDocument.error(where, "\"properties\" must be an object of schemas");
        }
        Set<String> required = required(schema, where);
        JsonNode additional = schema.get("additionalProperties");
        boolean closed = additional != null && additional.isBoolean() && !additional.booleanValue();
        RuleBody other = closed
                ? null
                : additional == null ? ANY : shared(schema(additional, where + "/additionalProperties", depth + 1));
        Map<String, RuleBody> members = new LinkedHashMap<>();
        for (String name : properties.propertyNames()) {
            JsonNode property = properties.get(name);
            if (required.contains(name) || !property.isBoolean() || property.booleanValue()) {
                String below = where + "/properties/" + name.replace("~", "~0").replace("/", "~1");
                RuleBody value = schema(property, below, depth + 1);
                members.put(name, required.contains(name) ? value : shared(value));
            }
        }
        for (String name : required) {
            if (!members.containsKey(name)) {
                if (other == null) {
                    throw SchemaDocument.error(where, "the property \"" + name + "\" is required but not allowed");
                }
                members.put(name, other);
            }
        }
        if (members.isEmpty() && additional == null && !schema.has("properties")) {
            return new RuleCall("object");
        }
        RuleBody others = null;
        if (other != null && (additional != null || !schema.has("properties"))) {
            Set<String> taken = new LinkedHashSet<>(properties.propertyNames());
            taken.addAll(members.keySet());
            others = sequence(JsonStrings.otherThan(taken), literal(":"), SPACE, other);
        }
        return sequence(literal("{"), SPACE, members(members, required, others), literal("}"));
    }

    /** The members in order, then {@code others} if not null, then white space. Members not required are optional. */
    private RuleBody members(Map<String, RuleBody> members, Set<String> required, RuleBody others) {
        RuleBody rest = SPACE; // follows a member: the remaining members, each after a comma
        List<RuleBody> firsts = new ArrayList<>(); // the alternatives for the first member, last one first
        boolean mayBeEmpty = true; // no member seen so far is required
        if (others != null) {
            RuleBody more = new Repeat(sequence(literal(","), SPACE, others), 0, RuleBody.UNLIMITED);
            rest = sequence(more, SPACE);
            firsts.add(sequence(others, rest));
        }
        List<String> names = new ArrayList<>(members.keySet());
        for (int i = names.size() - 1; i >= 0; i--) {
            String name = names.get(i);
            String key = "\"" + JsonStrings.escaped(name) + "\":";
            RuleBody member = sequence(new Literal(key), SPACE, members.get(name));
            String ruleOfRest = "members " + rules.size();
            addRule(ruleOfRest, rest);
            RuleBody next = sequence(literal(","), SPACE, member);
            if (required.contains(name)) {
                firsts.clear();
                mayBeEmpty = false;
            } else {
                next = optional(next);
            }
            firsts.add(sequence(member, new RuleCall(ruleOfRest)));
            rest = sequence(next, new RuleCall(ruleOfRest));
        }
        if (mayBeEmpty) {
            firsts.add(RuleBody.EMPTY);
        }
        return choice(firsts);
    }

    private RuleBody array(ObjectNode schema, String where, int depth) {
        boolean tuple = schema.path("items").isArray(); // syntax of drafts before 2020-12
        List<JsonNode> prefix = tuple && schema.get("items").isEmpty()
                ? List.of()
                : SchemaDocument.elements(schema, tuple ? "items" : "prefixItems", where);
        JsonNode items = tuple ? schema.get("additionalItems") : schema.get("items");
        if (!tuple && schema.has("additionalItems")) {
            throw SchemaDocument.error(where, "\"additionalItems\" without a list of \"items\" is not supported");
        }
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
        boolean some = prefix.isEmpty() || items != null || min > prefix.size(); // items after the prefix are generated
        RuleBody item =
                closed || !some ? null : items == null ? ANY : shared(schema(items, where + "/items", depth + 1));
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
            String ruleOfRest = "items " + rules.size();
            addRule(ruleOfRest, rest);
            rest = i == 0
                    ? sequence(element, new RuleCall(ruleOfRest))
                    : sequence(literal(","), SPACE, element, new RuleCall(ruleOfRest));
            rest = i > 0 && i >= min ? optional(rest) : rest;
        }
        RuleBody all = sequence(fixed == 0 ? sequence(item, rest) : rest, SPACE);
        return sequence(literal("["), SPACE, min == 0 ? optional(all) : all, literal("]"));
    }

    /** A count; a maximum is capped at the limit of repetitions, which only omits values. */
    private static int count(ObjectNode schema, String key, int absent, String where) {
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

    private RuleBody string(ObjectNode schema, String where) {
        boolean bounded = schema.has("minLength") || schema.has("maxLength");
        if (schema.has("pattern") && schema.has("format")
                || bounded && (schema.has("pattern") || schema.has("format"))) {
            throw SchemaDocument.error(
                    where,
                    "more than one of \"pattern\", \"format\" and bounds of the length together is not supported");
        }
        if (schema.has("pattern")) {
            try {
                return JsonStrings.quoted(
                        JsonPattern.parse(schema.get("pattern").stringValue("")));
            } catch (GrammarException e) {
                throw SchemaDocument.error(where, e.getMessage());
            }
        }
        if (schema.has("format")) {
            RuleBody format = JsonStrings.format(schema.get("format").stringValue(""));
            if (format == null) {
                throw SchemaDocument.error(
                        where,
                        "the format " + schema.get("format")
                                + " is not supported; there are date, time, date-time, uuid, ipv4, hostname, email, uri");
            }
            return JsonStrings.quoted(format);
        }
        if (!bounded) {
            return new RuleCall("string");
        }
        int min = count(schema, "minLength", 0, where);
        int max = count(schema, "maxLength", RuleBody.UNLIMITED, where);
        if (max != RuleBody.UNLIMITED && max < min) {
            throw SchemaDocument.error(
                    where, "a string cannot have at least " + min + " and at most " + max + " characters");
        }
        return JsonStrings.quoted(new Repeat(new RuleCall("char"), min, max));
    }

    private static RuleBody number(ObjectNode schema, String where) {
        if (KEYWORDS.get("number").stream().noneMatch(schema::has)) {
            return new RuleCall("number");
        }
        Bound low = Bound.of(schema, "minimum", "exclusiveMinimum", -1, where);
        Bound high = Bound.of(schema, "maximum", "exclusiveMaximum", 1, where);
        for (Bound bound : new Bound[] {low, high}) {
            if (bound.value.stripTrailingZeros().scale() > 0) {
                throw SchemaDocument.error(
                        where,
                        "a bound with a fraction (" + bound.value + ") is not supported for "
                                + "numbers that are not integers");
            }
        }
        int order = low.value.compareTo(high.value);
        if (order > 0 || order == 0 && !(low.inclusive && high.inclusive)) {
            throw SchemaDocument.error(where, "no number is within the bounds");
        }
        return JsonNumbers.between(
                low.value.longValueExact(), low.inclusive, high.value.longValueExact(), high.inclusive);
    }

    private static RuleBody integer(ObjectNode schema, String where) {
        Bound low = Bound.of(schema, "minimum", "exclusiveMinimum", -1, where);
        Bound high = Bound.of(schema, "maximum", "exclusiveMaximum", 1, where);
        long first = low.value.setScale(0, RoundingMode.CEILING).longValueExact();
        long last = high.value.setScale(0, RoundingMode.FLOOR).longValueExact();
        first += !low.inclusive && low.value.compareTo(BigDecimal.valueOf(first)) == 0 ? 1 : 0;
        last -= !high.inclusive && high.value.compareTo(BigDecimal.valueOf(last)) == 0 ? 1 : 0;
        if (first > last) {
            throw SchemaDocument.error(where, "no integer is within the bounds");
        }
        return JsonNumbers.integers(first, last);
    }

    /**
     * The stricter of an inclusive and an exclusive bound.
     *
     * @param inclusive whether the bound is inclusive
     */
    private record Bound(BigDecimal value, boolean inclusive) {

        static Bound of(ObjectNode schema, String inclusiveKey, String exclusiveKey, int side, String where) {
            BigDecimal limit = BigDecimal.valueOf(side * JsonNumbers.LIMIT);
            Bound bound = new Bound(limit, true);
            for (String key : new String[] {inclusiveKey, exclusiveKey}) {
                if (schema.has(key)) {
                    BigDecimal value = SchemaDocument.number(schema.get(key), key, where);
                    int order = value.compareTo(bound.value) * side;
                    if (value.abs().compareTo(limit.abs()) > 0 && order < 0 || value.scale() > 1000) {
                        throw SchemaDocument.error(
                                where, "\"" + key + "\" " + value + " is not supported: beyond " + JsonNumbers.LIMIT);
                    }
                    if (order < 0 || order == 0 && key.equals(exclusiveKey)) {
                        bound = new Bound(value, key.equals(inclusiveKey));
                    }
                }
            }
            return bound;
        }
    }
}
