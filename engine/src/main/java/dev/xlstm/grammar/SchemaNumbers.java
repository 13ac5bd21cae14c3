package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.RuleCall;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/** Numbers of a schema: bounds and {@code multipleOf}. */
final class SchemaNumbers {

    private SchemaNumbers() {}

    static RuleBody number(ObjectNode schema, RuleSet rules, String where) {
        if (schema.has("multipleOf")) {
            BigDecimal divisor = divisor(schema, where);
            if (divisor.scale() <= 0) {
                return integer(schema, rules, where);
            }
            throw SchemaDocument.error(where, "\"multipleOf\" " + divisor + " is not supported: only integers are");
        }
        boolean bounded = JsonSchema.KEYWORDS.get("number").stream().anyMatch(schema::has);
        if (!bounded) {
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

    static RuleBody integer(ObjectNode schema, RuleSet rules, String where) {
        Bound low = Bound.of(schema, "minimum", "exclusiveMinimum", -1, where);
        Bound high = Bound.of(schema, "maximum", "exclusiveMaximum", 1, where);
        long first = low.value.setScale(0, RoundingMode.CEILING).longValueExact();
        long last = high.value.setScale(0, RoundingMode.FLOOR).longValueExact();
        first += !low.inclusive && low.value.compareTo(BigDecimal.valueOf(first)) == 0 ? 1 : 0;
        last -= !high.inclusive && high.value.compareTo(BigDecimal.valueOf(last)) == 0 ? 1 : 0;
        if (first > last) {
            throw SchemaDocument.error(where, "no integer is within the bounds");
        }
        if (!schema.has("multipleOf")) {
            return JsonNumbers.integers(first, last);
        }
        BigDecimal divisor = divisor(schema, where);
        if (divisor.scale() > 0 || divisor.compareTo(BigDecimal.valueOf(JsonNumbers.LIMIT)) > 0) {
            throw SchemaDocument.error(where, "\"multipleOf\" " + divisor + " is not supported: only integers are");
        }
        return multiples(first, last, divisor.longValueExact(), rules, where);
    }

    private static BigDecimal divisor(ObjectNode schema, String where) {
        BigDecimal divisor = SchemaDocument.number(schema.get("multipleOf"), "multipleOf", where);
        if (divisor.signum() <= 0 || Math.abs((long) divisor.scale()) > 1000) {
            throw SchemaDocument.error(where, "\"multipleOf\" must be a number above 0, not " + divisor);
        }
        BigDecimal plain = divisor.stripTrailingZeros();
        return plain.scale() < 0 ? plain.setScale(0) : plain;
    }

    /** The multiples of a number from first to last. */
    private static RuleBody multiples(long first, long last, long divisor, RuleSet rules, String where) {
        long least = Math.ceilDiv(first, divisor);
        long most = Math.floorDiv(last, divisor);
        if (least > most) {
            throw SchemaDocument.error(where, "no multiple of " + divisor + " is within the bounds");
        }
        if (most - least < 200) {
            List<RuleBody> all = new ArrayList<>();
            for (long i = least; i <= most; i++) {
                all.add(RuleBody.literal(Long.toString(i * divisor)));
            }
            return RuleBody.choice(all);
        }
        long reduced = divisor;
        while (reduced % 10 == 0) {
            reduced /= 10;
        }
        if (reduced > GrammarLimits.DIVISOR) {
            throw SchemaDocument.error(
                    where,
                    "\"multipleOf\" " + divisor + " is not supported (above " + GrammarLimits.DIVISOR
                            + " without its powers of ten), unless \"minimum\" and \"maximum\" leave at most 200 values");
        }
        return new JsonMultiples(divisor, rules).between(first, last);
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
