package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Choice;
import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.OneOf;
import dev.xlstm.grammar.RuleBody.Repeat;
import dev.xlstm.grammar.RuleBody.RuleCall;
import dev.xlstm.grammar.RuleBody.Sequence;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * Several regular languages of strings as one deterministic automaton: it gives the strings that are in some of the
 * languages and not in the others. Each language is a rule body without rule calls.
 */
final class RegularLanguages {

    private static final int NFA_STATES = 20_000;
    private static final int DFA_STATES = 4_000;
    private static final long STEPS = 3_000_000;

    private record Edge(CharSet chars, int to) {}

    private final List<List<Edge>> edges = new ArrayList<>(); // [NFA states]
    private final List<List<Integer>> silent = new ArrayList<>(); // [NFA states]
    private final Map<Integer, Integer> accepting = new HashMap<>(); // NFA state → language
    private final Map<BitSet, Integer> numbers = new LinkedHashMap<>(); // set of NFA states → DFA state
    private final List<Map<Integer, CharSet>> transitions = new ArrayList<>(); // [DFA states]: by target
    private final List<BitSet> memberships = new ArrayList<>(); // [DFA states]: languages of the strings that end there
    private final List<BitSet> required = new ArrayList<>(); // NFA states of each language that a string must stay in
    private long steps;

    private RegularLanguages(List<RuleBody> languages, boolean intersection) {
        int start = newState();
        for (int i = 0; i < languages.size(); i++) {
            int begin = newState();
            silent.get(start).add(begin);
            accepting.put(build(languages.get(i), begin), i);
            if (intersection) {
                BitSet own = new BitSet();
                own.set(begin, edges.size());
                required.add(own);
            }
        }
        determinize(start);
    }

    /**
     * @throws GrammarException if the automaton is too large
     */
    static RegularLanguages of(List<RuleBody> languages) {
        return new RegularLanguages(languages, false);
    }

    /**
     * The strings that are in all languages, as they are written between quotes in JSON; null if there are none.
     *
     * @throws GrammarException if the automaton is too large
     */
    static RuleBody intersection(List<RuleBody> languages, RuleSet rules) {
        BitSet all = new BitSet();
        all.set(0, languages.size());
        return new RegularLanguages(languages, true).strings(all, rules, UnaryOperator.identity());
    }

    private static GrammarException tooLarge() {
        return new GrammarException("the patterns are too complex to be combined");
    }

    private int newState() {
        if (edges.size() == NFA_STATES) {
            throw tooLarge();
        }
        edges.add(new ArrayList<>());
        silent.add(new ArrayList<>());
        return edges.size() - 1;
    }

    /** Adds states that read the body from {@code from}; returns the state after it (Thompson's construction). */
    private int build(RuleBody body, int from) {
        if (body instanceof Literal literal) {
            int at = from;
            for (int c : literal.text().codePoints().toArray()) {
                at = read(CharSet.of(new CharSet.Range(c, c)), at);
            }
            return at;
        } else if (body instanceof OneOf oneOf) {
            return read(oneOf.chars(), from);
        } else if (body instanceof Sequence sequence) {
            int at = from;
            for (RuleBody item : sequence.items()) {
                at = build(item, at);
            }
            return at;
        } else if (body instanceof Choice choice) {
            int to = newState();
            for (RuleBody alternative : choice.alternatives()) {
                int begin = newState();
                silent.get(from).add(begin);
                silent.get(build(alternative, begin)).add(to);
            }
            return to;
        } else if (body instanceof Repeat repeat) {
            return repeat(repeat, from);
        }
        throw new IllegalArgumentException("a rule call is not regular: " + body);
    }

    private int read(CharSet chars, int from) {
        int to = newState();
        edges.get(from).add(new Edge(chars, to));
        return to;
    }

    private int repeat(Repeat repeat, int from) {
        int at = from;
        for (int i = 0; i < repeat.min(); i++) {
            at = build(repeat.body(), at);
        }
        int end = newState();
        silent.get(at).add(end);
        if (repeat.max() == RuleBody.UNLIMITED) {
            int loop = newState();
            silent.get(at).add(loop);
            int after = build(repeat.body(), loop);
            silent.get(after).add(loop);
            silent.get(after).add(end);
        } else {
            for (int i = repeat.min(); i < repeat.max(); i++) {
                at = build(repeat.body(), at);
                silent.get(at).add(end);
            }
        }
        return end;
    }

    private void closure(BitSet states) {
        List<Integer> open = new ArrayList<>();
        states.stream().forEach(open::add);
        while (!open.isEmpty()) {
            for (int next : silent.get(open.removeLast())) {
                countStep();
                if (!states.get(next)) {
                    states.set(next);
                    open.add(next);
                }
            }
        }
    }

    private void countStep() {
        if (++steps > STEPS) {
            throw tooLarge();
        }
    }

    private int number(BitSet states, List<BitSet> open) {
        closure(states);
        if (required.stream().anyMatch(own -> !own.intersects(states))) {
            states.clear(); // no continuation is in all languages
        }
        Integer known = numbers.get(states);
        if (known != null) {
            return known;
        }
        if (numbers.size() == DFA_STATES) {
            throw tooLarge();
        }
        int number = numbers.size();
        numbers.put(states, number);
        open.add(states);
        BitSet languages = new BitSet();
        states.stream().filter(accepting::containsKey).forEach(state -> languages.set(accepting.get(state)));
        memberships.add(languages);
        return number;
    }

    /** The subset construction. */
    private void determinize(int start) {
        List<BitSet> states = new ArrayList<>(); // [DFA states]
        BitSet first = new BitSet();
        first.set(start);
        number(first, states);
        for (int i = 0; i < states.size(); i++) {
            List<Edge> leaving = new ArrayList<>();
            states.get(i).stream().forEach(state -> leaving.addAll(edges.get(state)));
            TreeSet<Integer> bounds = new TreeSet<>(Set.of(0)); // where the set of matching edges may change
            for (Edge edge : leaving) {
                for (CharSet.Range range : edge.chars().ranges()) {
                    countStep();
                    bounds.add(range.first());
                    bounds.add(range.last() + 1);
                }
            }
            Map<BitSet, List<CharSet.Range>> byTarget = new LinkedHashMap<>();
            for (int from : bounds) {
                if (from > CharSet.MAX) {
                    break;
                }
                Integer next = bounds.higher(from);
                BitSet target = new BitSet();
                for (Edge edge : leaving) {
                    countStep();
                    if (edge.chars().contains(from)) {
                        target.set(edge.to());
                    }
                }
                byTarget.computeIfAbsent(target, key -> new ArrayList<>())
                        .add(new CharSet.Range(from, next == null ? CharSet.MAX : next - 1));
            }
            Map<Integer, CharSet> row = new LinkedHashMap<>();
            byTarget.forEach((target, ranges) -> row.merge(number(target, states), CharSet.of(ranges), CharSet::plus));
            transitions.add(row);
        }
    }

    /** The languages that a string is in. */
    BitSet languagesOf(String text) {
        int state = 0;
        for (int c : text.codePoints().toArray()) {
            for (Map.Entry<Integer, CharSet> transition : transitions.get(state).entrySet()) {
                if (transition.getValue().contains(c)) {
                    state = transition.getKey();
                    break;
                }
            }
        }
        return memberships.get(state);
    }

    /** The sets of languages such that a string is in exactly these. */
    Set<BitSet> memberships() {
        return new LinkedHashSet<>(memberships);
    }

    /**
     * The strings that are in exactly these languages, as they are written between quotes in JSON; null if there are none.
     *
     * @param allowed restricts the characters that are generated
     */
    RuleBody strings(BitSet languages, RuleSet rules, UnaryOperator<CharSet> allowed) {
        boolean[] useful = new boolean[transitions.size()]; // a string of the languages can end from here
        boolean changed = true;
        while (changed) {
            changed = false;
            for (int state = transitions.size() - 1; state >= 0; state--) {
                if (!useful[state]) {
                    useful[state] = memberships.get(state).equals(languages)
                            || transitions.get(state).entrySet().stream()
                                    .anyMatch(edge -> useful[edge.getKey()]
                                            && !allowed.apply(edge.getValue()).isEmpty());
                    changed |= useful[state];
                }
            }
        }
        if (!useful[0]) {
            return null;
        }
        String[] names = new String[transitions.size()];
        for (int state = 0; state < names.length; state++) {
            if (useful[state]) {
                names[state] = ((RuleCall) rules.add("strings", RuleBody.EMPTY)).rule();
            }
        }
        for (int state = 0; state < names.length; state++) {
            if (useful[state]) {
                List<RuleBody> ways = new ArrayList<>();
                if (memberships.get(state).equals(languages)) {
                    ways.add(RuleBody.EMPTY);
                }
                transitions.get(state).forEach((to, chars) -> {
                    CharSet set = allowed.apply(chars);
                    if (useful[to] && !set.isEmpty()) {
                        ways.add(RuleBody.sequence(JsonStrings.oneOf(set), new RuleCall(names[to])));
                    }
                });
                rules.put(names[state], RuleBody.choice(ways));
            }
        }
        return new RuleCall(names[0]);
    }
}
