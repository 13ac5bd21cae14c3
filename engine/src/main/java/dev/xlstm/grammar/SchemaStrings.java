package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Choice;
import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.Repeat;
import dev.xlstm.grammar.RuleBody.RuleCall;
import dev.xlstm.grammar.RuleBody.Sequence;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/** Strings of a schema: pattern, format and bounds of the length, alone and combined. */
final class SchemaStrings {

    /** Longest length of a string that has none. */
    private static final long ENDLESS = Long.MAX_VALUE / 4;

    private SchemaStrings() {}

    static RuleBody compile(ObjectNode schema, RuleSet rules, SchemaDocument document, String where) {
        int min = JsonSchema.count(schema, "minLength", 0, where);
        int max = JsonSchema.count(schema, "maxLength", RuleBody.UNLIMITED, where);
        if (max != RuleBody.UNLIMITED && max < min) {
            throw SchemaDocument.error(
                    where, "a string cannot have at least " + min + " and at most " + max + " characters");
        }
        List<RuleBody> languages = new ArrayList<>();
        if (schema.has("pattern")) {
            languages.add(pattern(schema.get("pattern").stringValue(""), where));
        }
        RuleBody format =
                schema.has("format") ? JsonStrings.format(schema.get("format").stringValue("")) : null;
        if (format != null) {
            languages.add(format);
        } else if (schema.has("format")) {
            document.ignore("format " + schema.get("format"));
        }
        boolean bounded = min > 0 || max != RuleBody.UNLIMITED;
        if (languages.isEmpty()) {
            return bounded ? JsonStrings.quoted(new Repeat(new RuleCall("char"), min, max)) : new RuleCall("string");
        }
        boolean implied = languages.stream()
                .anyMatch(language ->
                        length(language, false) >= min && (max == RuleBody.UNLIMITED || length(language, true) <= max));
        if (bounded && !implied) {
            languages.add(new Repeat(new RuleBody.OneOf(CharSet.ALL), min, max));
        }
        if (languages.size() == 1) {
            return JsonStrings.quoted(JsonStrings.escaped(languages.get(0)));
        }
        RuleBody strings;
        try {
            strings = RegularLanguages.intersection(languages, rules);
        } catch (GrammarException e) {
            throw SchemaDocument.error(
                    where, "\"pattern\", \"format\" and bounds of the length together: " + e.getMessage());
        }
        if (strings == null) {
            throw SchemaDocument.error(
                    where, "no string satisfies \"pattern\", \"format\" and bounds of the length together");
        }
        return JsonStrings.quoted(strings);
    }

    /** The strings that match, without escapes. */
    static RuleBody pattern(String pattern, String where) {
        try {
            return JsonPattern.parse(pattern);
        } catch (GrammarException e) {
            throw SchemaDocument.error(where, e.getMessage());
        }
    }

    /** The length of the shortest or longest string, in code points. */
    private static long length(RuleBody body, boolean longest) {
        if (body instanceof Literal literal) {
            return literal.text().codePointCount(0, literal.text().length());
        } else if (body instanceof Sequence sequence) {
            return Math.min(
                    ENDLESS,
                    sequence.items().stream()
                            .mapToLong(item -> length(item, longest))
                            .sum());
        } else if (body instanceof Choice choice) {
            var lengths = choice.alternatives().stream().mapToLong(item -> length(item, longest));
            return (longest ? lengths.max() : lengths.min()).orElse(0);
        } else if (body instanceof Repeat repeat) {
            long times = !longest ? repeat.min() : repeat.max() == RuleBody.UNLIMITED ? ENDLESS : repeat.max();
            long length = length(repeat.body(), longest);
            return times == 0 || length == 0 ? 0 : times > ENDLESS / length ? ENDLESS : times * length;
        }
        return 1;
    }
}
