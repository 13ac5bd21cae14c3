package dev.xlstm.grammar;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** The names of an object's properties, told apart by the patterns of {@code patternProperties} that they match. */
final class PropertyNames {

    /**
     * Names that are not listed and match the same patterns.
     *
     * @param matched the patterns
     * @param schema what holds for the values: the schemas of all these patterns; null if there is none
     */
    record Kind(BitSet matched, JsonNode schema) {}

    private final Set<String> listed;
    private final List<JsonNode> schemas = new ArrayList<>(); // [patterns]
    private final RegularLanguages languages; // the patterns, then the listed names; null without patterns

    PropertyNames(Set<String> listed, JsonNode patterns, String where) {
        this.listed = listed;
        List<RuleBody> bodies = new ArrayList<>();
        for (String pattern : patterns.propertyNames()) {
            bodies.add(SchemaStrings.pattern(pattern, where));
            schemas.add(patterns.get(pattern));
        }
        if (!listed.isEmpty() && !bodies.isEmpty()) {
            bodies.add(RuleBody.choice(listed.stream()
                    .map(name -> (RuleBody) new RuleBody.Literal(name))
                    .toList()));
        }
        try {
            languages = bodies.isEmpty() ? null : RegularLanguages.of(bodies);
        } catch (GrammarException e) {
            throw SchemaDocument.error(where, "\"patternProperties\": " + e.getMessage());
        }
    }

    /** The schema of the patterns that a listed name matches; null if it matches none. */
    JsonNode schemaOf(String name) {
        return languages == null ? null : schemaOf(languages.languagesOf(name));
    }

    private JsonNode schemaOf(BitSet matched) {
        JsonNode schema = null;
        for (int i = matched.nextSetBit(0); i >= 0 && i < schemas.size(); i = matched.nextSetBit(i + 1)) {
            schema = schema == null ? schemas.get(i) : SchemaDocument.together(schema, schemas.get(i));
        }
        return schema;
    }

    /** The kinds of names that are not listed. */
    List<Kind> kinds() {
        if (languages == null) {
            return List.of(new Kind(new BitSet(), null));
        }
        List<Kind> kinds = new ArrayList<>();
        for (BitSet matched : languages.memberships()) {
            if (!matched.get(schemas.size())) {
                kinds.add(new Kind(matched, schemaOf(matched)));
            }
        }
        if (kinds.size() > GrammarLimits.NAME_KINDS) {
            throw new GrammarException(
                    "\"patternProperties\" overlap in more than " + GrammarLimits.NAME_KINDS + " ways");
        }
        return kinds;
    }

    /** The names of a kind in quotes, without escapes; null if none can be generated. */
    RuleBody strings(Kind kind, RuleSet rules) {
        if (languages == null) {
            return JsonStrings.otherThan(listed);
        }
        CharSet escaped = JsonStrings.PLAIN.negate();
        RuleBody names = languages.strings(kind.matched, rules, chars -> chars.minus(escaped));
        return names == null ? null : JsonStrings.quoted(names);
    }
}
