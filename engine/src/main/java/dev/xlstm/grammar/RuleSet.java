package dev.xlstm.grammar;

import java.util.LinkedHashMap;
import java.util.Map;

/** The rules of a grammar under construction. */
final class RuleSet {

    private final Map<String, RuleBody> rules = new LinkedHashMap<>();

    /**
     * Adds or replaces a rule.
     *
     * @throws GrammarException if there are too many rules
     */
    RuleBody put(String name, RuleBody body) {
        if (rules.size() > GrammarLimits.RULES) {
            throw new GrammarException("the JSON Schema needs more than " + GrammarLimits.RULES + " rules");
        }
        rules.put(name, body);
        return new RuleBody.RuleCall(name);
    }

    boolean contains(String name) {
        return rules.containsKey(name);
    }

    /** Adds a rule under a new name that begins with {@code kind}. */
    RuleBody add(String kind, RuleBody body) {
        return put(kind + " " + rules.size(), body);
    }

    /** Makes a rule of a part that is used more than once; inlined, it would double at each level of nesting. */
    RuleBody share(RuleBody part) {
        boolean small =
                part instanceof RuleBody.RuleCall || part instanceof RuleBody.Literal || part instanceof RuleBody.OneOf;
        return small ? part : add("part", part);
    }

    Grammar toGrammar(String source) {
        return new Grammar(rules, "root", source);
    }
}
