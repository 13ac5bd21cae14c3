package dev.xlstm.grammar;

import java.util.LinkedHashSet;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** A conservative test whether alternatives of a {@code oneOf} exclude each other. */
final class SchemaOverlap {

    private static final int DEPTH = 8;

    private final SchemaDocument document;

    SchemaOverlap(SchemaDocument document) {
        this.document = document;
    }

    /** Whether each certainly rejects everything generated for the other. */
    boolean disjoint(JsonNode a, JsonNode b, String where) {
        return rejects(a, b, where, 0) && rejects(b, a, where, 0);
    }

    /** Whether {@code judge} rejects every value that is generated for {@code made}. */
    private boolean rejects(JsonNode madeSchema, JsonNode judgeSchema, String where, int depth) {
        if (depth > DEPTH) {
            return false;
        }
        JsonNode made = document.flatten(madeSchema, where);
        JsonNode judge = document.flatten(judgeSchema, where);
        if (!made.isObject() || !judge.isObject()) {
            return false;
        }
        for (String key : new String[] {"anyOf", "oneOf"}) {
            if (made.has(key)) {
                return SchemaDocument.elements(made, key, where).stream()
                        .allMatch(branch -> rejects(branch, judge, where, depth + 1));
            }
            if (judge.has(key)) {
                return SchemaDocument.elements(judge, key, where).stream()
                        .allMatch(branch -> rejects(made, branch, where, depth + 1));
            }
        }
        return differentTypes(made, judge, where)
                || differentValues(made, judge)
                || JsonSchema.typesOf(made, where).equals(Set.of("object"))
                        && differentObjects(made, judge, where, depth);
    }

    private static boolean differentTypes(JsonNode made, JsonNode judge, String where) {
        if (!judge.has("type")) {
            return false;
        }
        Set<String> accepted = new LinkedHashSet<>(SchemaDocument.types(judge.get("type"), where));
        if (accepted.contains("number")) {
            accepted.add("integer");
        } else if (accepted.contains("integer")) {
            accepted.add("number"); // a number may be an integer
        }
        return JsonSchema.typesOf(made, where).stream().noneMatch(accepted::contains);
    }

    private static JsonNode values(JsonNode schema) {
        return schema.has("const") ? JsonNodeFactory.instance.arrayNode().add(schema.get("const")) : schema.get("enum");
    }

    private static boolean differentValues(JsonNode made, JsonNode judge) {
        JsonNode values = values(made);
        JsonNode accepted = values(judge);
        if (values == null || accepted == null) {
            return false;
        }
        for (JsonNode value : values) {
            if (SchemaDocument.contains(accepted, value)) {
                return false;
            }
        }
        return true;
    }

    private boolean differentObjects(JsonNode made, JsonNode judge, String where, int depth) {
        JsonNode has = made.path("properties");
        JsonNode may = judge.path("properties");
        Set<String> always = JsonSchema.required(made, where);
        Set<String> must = JsonSchema.required(judge, where);
        boolean noOthersMade = made.has("properties")
                && !made.has("patternProperties")
                && !made.path("additionalProperties").isObject()
                && !made.path("additionalProperties").asBoolean(false);
        for (String name : must) {
            if (noOthersMade && !has.has(name) && !always.contains(name)) {
                return true;
            }
        }
        for (String name : always) {
            boolean closed = judge.has("additionalProperties")
                    && !judge.has("patternProperties")
                    && !judge.get("additionalProperties").asBoolean(true);
            if (closed && !judge.get("additionalProperties").isObject() && !may.has(name)) {
                return true;
            }
        }
        Set<String> decided = new LinkedHashSet<>(always);
        decided.addAll(must);
        for (String name : decided) {
            if (has.has(name) && may.has(name) && rejects(has.get(name), may.get(name), where, depth + 1)) {
                return true;
            }
        }
        return false;
    }
}
