package dev.xlstm.grammar;

import dev.xlstm.grammar.Expression.Call;
import dev.xlstm.grammar.Expression.Literal;
import dev.xlstm.grammar.Expression.Repeat;
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

import static dev.xlstm.grammar.Expression.choice;
import static dev.xlstm.grammar.Expression.literal;
import static dev.xlstm.grammar.Expression.optional;
import static dev.xlstm.grammar.Expression.sequence;

/**
 * A JSON Schema as a grammar. All texts of the grammar are valid under the schema; some valid ones are left out:
 * properties come in the order they are listed, others only where {@code additionalProperties} is given or none is listed;
 * white space is at most a blank, or a line break and an indentation; numbers are bounded in length; strings and arrays
 * too, at the limit of repetitions. Where a schema that says {@code properties}, {@code items} or the like names no type,
 * objects or arrays are meant. What cannot be kept is refused by name: no keyword is ignored but annotations, and those of
 * another type than the value's. Names of additional properties are not kept from occurring twice.
 */
final class JsonSchema {

    private static final Map<String, List<String>> KEYWORDS = Map.of(
            "object", List.of("properties", "required", "additionalProperties"),
            "array", List.of("items", "prefixItems", "minItems", "maxItems", "additionalItems"),
            "string", List.of("minLength", "maxLength", "pattern", "format"),
            "number", List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"));

    private static final Set<String> GENERAL = Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

    private static final Expression SPACE = new Call("space");
    private static final Expression ANY = new Call("value");

    private final SchemaDocument document;
    private final SchemaOverlap overlap;
    private final Map<String, Expression> rules = new LinkedHashMap<>();
    private final Deque<String> referred = new ArrayDeque<>(); // whose rules are still to be made

    private JsonSchema(String schema) {
        document = new SchemaDocument(schema);
        overlap = new SchemaOverlap(document);
        rules.putAll(Map.of(
                "space",
                        optional(choice(
                                literal(" "),
                                sequence(literal("\n"), new Repeat(new Expression.OneOf(CharSet.of(" \t")), 0, 20)))),
                "char", JsonStrings.ANY_CHAR,
                "string", JsonStrings.quoted(new Repeat(new Call("char"), 0, Expression.UNLIMITED)),
                "number", JsonNumbers.ANY,
                "value",
                        choice(
                                new Call("object"),
                                new Call("array"),
                                new Call("string"),
                                new Call("number"),
                                literal("true"),
                                literal("false"),
                                literal("null")),
                "object", list("{", sequence(new Call("string"), literal(":"), SPACE, ANY), "}"),
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

    private static Expression list(String open, Expression item, String close) {
        Expression more = new Repeat(sequence(literal(","), SPACE, item), 0, Expression.UNLIMITED);
        return sequence(literal(open), SPACE, optional(sequence(item, more, SPACE)), literal(close));
    }

    private void addRule(String name, Expression body) {
        if (rules.size() > Limits.RULES) {
            throw new GrammarException("the JSON Schema needs more than " + Limits.RULES + " rules");
        }
        rules.put(name, body);
    }

    /** What is written down more than once, as a rule: else each level of a nested schema would double it. */
    private Expression shared(Expression part) {
        if (part instanceof Call || part instanceof Literal || part instanceof Expression.OneOf) {
            return part;
        }
        Expression call = new Call("part " + rules.size());
        addRule("part " + rules.size(), part);
        return call;
    }

    private Expression schema(JsonNode schema, String where, int depth) {
        if (depth > Limits.NESTING) {
            throw SchemaDocument.error(where, "schemas nested deeper than " + Limits.NESTING);
        }
        if (schema.isBoolean()) {
            if (!schema.booleanValue()) {
                throw SchemaDocument.error(where, "false admits no value");
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
        List<Expression> types = new ArrayList<>();
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

    private Expression reference(String reference, String where) {
        String name = nameOf(reference);
        if (!rules.containsKey(name)) {
            document.resolve(reference, where); // or says what is wrong here
            addRule(name, ANY); // until its turn comes
            referred.add(reference);
        }
        return new Call(name);
    }

    private Expression alternatives(ObjectNode schema, String where, int depth) {
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
        List<Expression> ways = new ArrayList<>();
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

    private Expression constants(ObjectNode schema, String where) {
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
        List<Expression> texts = new ArrayList<>();
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

    /** The types that values are generated of. */
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

    private Expression typed(String type, ObjectNode schema, String where, int depth) {
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

    private Expression object(ObjectNode schema, String where, int depth) {
        JsonNode properties = schema.path("properties");
        if (schema.has("properties") && !properties.isObject()) {
            throw SchemaDocument.error(where, "\"properties\" must be an object of schemas");
        }
        Set<String> required = required(schema, where);
        JsonNode additional = schema.get("additionalProperties");
        boolean closed = additional != null && additional.isBoolean() && !additional.booleanValue();
        Expression other = closed
                ? null
                : additional == null ? ANY : shared(schema(additional, where + "/additionalProperties", depth + 1));
        Map<String, Expression> members = new LinkedHashMap<>();
        for (String name : properties.propertyNames()) {
            JsonNode property = properties.get(name);
            if (required.contains(name) || !property.isBoolean() || property.booleanValue()) {
                String below = where + "/properties/" + name.replace("~", "~0").replace("/", "~1");
                Expression value = schema(property, below, depth + 1);
                members.put(name, required.contains(name) ? value : shared(value));
            }
        }
        for (String name : required) {
            if (!members.containsKey(name)) {
                if (other == null) {
                    throw SchemaDocument.error(where, "the property \"" + name + "\" is required and not admitted");
                }
                members.put(name, other);
            }
        }
        if (members.isEmpty() && additional == null && !schema.has("properties")) {
            return new Call("object");
        }
        Expression others = null;
        if (other != null && (additional != null || !schema.has("properties"))) {
            Set<String> taken = new LinkedHashSet<>(properties.propertyNames());
            taken.addAll(members.keySet());
            others = sequence(JsonStrings.otherThan(taken), literal(":"), SPACE, other);
        }
        return sequence(literal("{"), SPACE, members(members, required, others), literal("}"));
    }

    /** The members in their order, those not required optional, then others if there may be some; and the last space. */
    private Expression members(Map<String, Expression> members, Set<String> required, Expression others) {
        Expression rest = SPACE; // after a member: the members still to come, each with its comma before it
        List<Expression> firsts = new ArrayList<>(); // ways to begin, the last one first
        boolean mayBeEmpty = true; // none of the members passed so far is required
        if (others != null) {
            Expression more = new Repeat(sequence(literal(","), SPACE, others), 0, Expression.UNLIMITED);
            rest = sequence(more, SPACE);
            firsts.add(sequence(others, rest));
        }
        List<String> names = new ArrayList<>(members.keySet());
        for (int i = names.size() - 1; i >= 0; i--) {
            String name = names.get(i);
            String key = "\"" + JsonStrings.escaped(name) + "\":";
            Expression member = sequence(new Literal(key), SPACE, members.get(name));
            String ruleOfRest = "members " + rules.size();
            addRule(ruleOfRest, rest);
            Expression next = sequence(literal(","), SPACE, member);
            if (required.contains(name)) {
                firsts.clear();
                mayBeEmpty = false;
            } else {
                next = optional(next);
            }
            firsts.add(sequence(member, new Call(ruleOfRest)));
            rest = sequence(next, new Call(ruleOfRest));
        }
        if (mayBeEmpty) {
            firsts.add(Expression.EMPTY);
        }
        return choice(firsts);
    }

    private Expression array(ObjectNode schema, String where, int depth) {
        boolean tuple = schema.path("items").isArray(); // as in drafts before 2020-12
        List<JsonNode> prefix = tuple && schema.get("items").isEmpty()
                ? List.of()
                : SchemaDocument.elements(schema, tuple ? "items" : "prefixItems", where);
        JsonNode items = tuple ? schema.get("additionalItems") : schema.get("items");
        if (!tuple && schema.has("additionalItems")) {
            throw SchemaDocument.error(where, "\"additionalItems\" without a list of \"items\" is not supported");
        }
        boolean closed = items != null && items.isBoolean() && !items.booleanValue();
        int min = count(schema, "minItems", 0, where);
        int max = count(schema, "maxItems", Expression.UNLIMITED, where);
        if (closed) {
            max = max == Expression.UNLIMITED ? prefix.size() : Math.min(max, prefix.size());
        }
        if (max != Expression.UNLIMITED && max < min) {
            throw SchemaDocument.error(
                    where, "an array cannot have at least " + min + " and at most " + max + " items");
        }
        if (max == 0) {
            return sequence(literal("["), SPACE, literal("]"));
        }
        boolean some = prefix.isEmpty() || items != null || min > prefix.size(); // of those after the prefix
        Expression item =
                closed || !some ? null : items == null ? ANY : shared(schema(items, where + "/items", depth + 1));
        // from the last to the first: what follows when so many items are there
        Expression rest = Expression.EMPTY;
        int fixed = max == Expression.UNLIMITED ? prefix.size() : Math.min(prefix.size(), max);
        if (item != null && (max == Expression.UNLIMITED || max > fixed)) {
            int from = Math.max(fixed, 1); // the first item of all has no comma before it
            rest = new Repeat(
                    sequence(literal(","), SPACE, item),
                    Math.max(0, min - from),
                    max == Expression.UNLIMITED ? max : max - from);
        }
        for (int i = fixed - 1; i >= 0; i--) {
            Expression element = schema(prefix.get(i), where + "/prefixItems/" + i, depth + 1);
            String ruleOfRest = "items " + rules.size();
            addRule(ruleOfRest, rest);
            rest = i == 0
                    ? sequence(element, new Call(ruleOfRest))
                    : sequence(literal(","), SPACE, element, new Call(ruleOfRest));
            rest = i > 0 && i >= min ? optional(rest) : rest;
        }
        Expression all = sequence(fixed == 0 ? sequence(item, rest) : rest, SPACE);
        return sequence(literal("["), SPACE, min == 0 ? optional(all) : all, literal("]"));
    }

    /** A count, cut off at the limit of repetitions where that only leaves out values. */
    private static int count(ObjectNode schema, String key, int absent, String where) {
        JsonNode value = schema.get(key);
        if (value == null) {
            return absent;
        }
        if (!value.isNumber() || value.decimalValue().signum() < 0 || !hasType(value, "integer")) {
            throw SchemaDocument.error(where, "\"" + key + "\" must be a whole number, not " + value);
        }
        BigDecimal limit = BigDecimal.valueOf(Limits.REPETITIONS);
        if (value.decimalValue().compareTo(limit) > 0) {
            if (key.startsWith("min")) {
                throw SchemaDocument.error(where, "\"" + key + "\" above " + limit + " is not supported");
            }
            return Limits.REPETITIONS;
        }
        return value.decimalValue().intValueExact();
    }

    private Expression string(ObjectNode schema, String where) {
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
            Expression format = JsonStrings.format(schema.get("format").stringValue(""));
            if (format == null) {
                throw SchemaDocument.error(
                        where,
                        "the format " + schema.get("format")
                                + " is not supported; there are date, time, date-time, uuid, ipv4, hostname, email, uri");
            }
            return JsonStrings.quoted(format);
        }
        if (!bounded) {
            return new Call("string");
        }
        int min = count(schema, "minLength", 0, where);
        int max = count(schema, "maxLength", Expression.UNLIMITED, where);
        if (max != Expression.UNLIMITED && max < min) {
            throw SchemaDocument.error(
                    where, "a string cannot have at least " + min + " and at most " + max + " characters");
        }
        return JsonStrings.quoted(new Repeat(new Call("char"), min, max));
    }

    private static Expression number(ObjectNode schema, String where) {
        if (KEYWORDS.get("number").stream().noneMatch(schema::has)) {
            return new Call("number");
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
        if (order > 0 || order == 0 && !(low.itself && high.itself)) {
            throw SchemaDocument.error(where, "no number is within the bounds");
        }
        return JsonNumbers.between(low.value.longValueExact(), low.itself, high.value.longValueExact(), high.itself);
    }

    private static Expression integer(ObjectNode schema, String where) {
        Bound low = Bound.of(schema, "minimum", "exclusiveMinimum", -1, where);
        Bound high = Bound.of(schema, "maximum", "exclusiveMaximum", 1, where);
        long first = low.value.setScale(0, RoundingMode.CEILING).longValueExact();
        long last = high.value.setScale(0, RoundingMode.FLOOR).longValueExact();
        first += !low.itself && low.value.compareTo(BigDecimal.valueOf(first)) == 0 ? 1 : 0;
        last -= !high.itself && high.value.compareTo(BigDecimal.valueOf(last)) == 0 ? 1 : 0;
        if (first > last) {
            throw SchemaDocument.error(where, "no integer is within the bounds");
        }
        return JsonNumbers.integers(first, last);
    }

    /**
     * The stricter of two keywords.
     *
     * @param itself whether the bound is within
     */
    private record Bound(BigDecimal value, boolean itself) {

        static Bound of(ObjectNode schema, String inclusive, String exclusive, int side, String where) {
            BigDecimal limit = BigDecimal.valueOf(side * JsonNumbers.LIMIT);
            Bound bound = new Bound(limit, true);
            for (String key : new String[] {inclusive, exclusive}) {
                if (schema.has(key)) {
                    BigDecimal value = SchemaDocument.number(schema.get(key), key, where);
                    int order = value.compareTo(bound.value) * side;
                    if (value.abs().compareTo(limit.abs()) > 0 && order < 0 || value.scale() > 1000) {
                        throw SchemaDocument.error(
                                where, "\"" + key + "\" " + value + " is not supported: beyond " + JsonNumbers.LIMIT);
                    }
                    if (order < 0 || order == 0 && key.equals(exclusive)) {
                        bound = new Bound(value, key.equals(inclusive));
                    }
                }
            }
            return bound;
        }
    }
}
