package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Choice;
import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.OneOf;
import dev.xlstm.grammar.RuleBody.Repeat;
import dev.xlstm.grammar.RuleBody.RuleCall;
import dev.xlstm.grammar.RuleBody.Sequence;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Builds a graph of states for each rule reachable from the root, by Thompson's construction. */
final class AutomatonBuilder {

    /** A repeated part longer than this becomes a rule: each copy is then a single edge. */
    private static final int MAX_COPIED = 8;

    final Edges bytes = new Edges(); // label: first byte << 8 | last byte
    final Edges silent = new Edges();
    final Edges calls = new Edges(); // label: rule
    final List<String> names = new ArrayList<>(); // [rules]; rule 0 is the root
    final List<Integer> starts = new ArrayList<>(); // [rules]
    final BitSet ends = new BitSet(); // accepting states of the rules
    final BitSet nullableRules = new BitSet();
    int states;

    private final Grammar grammar;
    private final Set<String> nullable = new HashSet<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<RuleBody> bodies = new ArrayList<>();
    private final Map<RuleBody, Integer> repeated = new HashMap<>();

    AutomatonBuilder(Grammar grammar) {
        this.grammar = grammar;
        findNullable();
        number(grammar.root());
        for (int rule = 0; rule < bodies.size(); rule++) { // grows as rules are called
            int start = newState();
            starts.set(rule, start);
            ends.set(compile(bodies.get(rule), start));
            nullableRules.set(rule, isNullable(bodies.get(rule)));
        }
    }

    private void findNullable() {
        Map<String, List<String>> callers = new HashMap<>();
        Deque<String> waiting = new ArrayDeque<>();
        Set<String> seen = new HashSet<>(Set.of(grammar.root()));
        waiting.add(grammar.root());
        List<String> reached = new ArrayList<>();
        while (!waiting.isEmpty()) {
            String name = waiting.poll();
            reached.add(name);
            Set<String> called = new HashSet<>();
            collectCalls(grammar.rule(name), called);
            for (String other : called) {
                callers.computeIfAbsent(other, key -> new ArrayList<>()).add(name);
                if (seen.add(other)) {
                    waiting.add(other);
                }
            }
        }
        // Callees before callers, each once: otherwise a long rule is visited again for each of its callees.
        LinkedHashSet<String> unknown = new LinkedHashSet<>(reached.reversed());
        while (!unknown.isEmpty()) {
            String name = unknown.removeFirst();
            if (!nullable.contains(name) && isNullable(grammar.rule(name))) {
                nullable.add(name);
                unknown.addAll(callers.getOrDefault(name, List.of()));
            }
        }
    }

    private static void collectCalls(RuleBody e, Set<String> calls) {
        if (e instanceof RuleCall call) {
            calls.add(call.rule());
        } else if (e instanceof Repeat repeat) {
            collectCalls(repeat.body(), calls);
        } else if (e instanceof Sequence sequence) {
            sequence.items().forEach(item -> collectCalls(item, calls));
        } else if (e instanceof Choice choice) {
            choice.alternatives().forEach(item -> collectCalls(item, calls));
        }
    }

    /** Whether it matches the empty text. */
    private boolean isNullable(RuleBody e) {
        if (e instanceof Literal literal) {
            return literal.text().isEmpty();
        } else if (e instanceof RuleCall call) {
            return nullable.contains(call.rule());
        } else if (e instanceof Repeat repeat) {
            return repeat.min() == 0 || isNullable(repeat.body());
        } else if (e instanceof Sequence sequence) {
            return sequence.items().stream().allMatch(this::isNullable);
        } else if (e instanceof Choice choice) {
            return choice.alternatives().stream().anyMatch(this::isNullable);
        }
        return false;
    }

    private int number(String name) {
        Integer known = numbers.get(name);
        return known != null ? known : addRule(name, grammar.rule(name));
    }

    private int addRule(String name, RuleBody body) {
        int rule = names.size();
        names.add(name);
        bodies.add(body);
        starts.add(Edges.NONE);
        numbers.put(name, rule);
        return rule;
    }

    private int newState() {
        if (states == GrammarLimits.STATES) {
            throw new GrammarException("the grammar needs more than " + GrammarLimits.STATES
                    + " states: make its literals, choices or repetitions smaller");
        }
        return states++;
    }

    /** Adds states that read the body, beginning at {@code from}; returns the state after it. */
    private int compile(RuleBody e, int from) {
        if (e instanceof Literal literal) {
            int at = from;
            for (byte b : literal.text().getBytes(StandardCharsets.UTF_8)) {
                int to = newState();
                addBytes(at, to, b & 0xFF, b & 0xFF);
                at = to;
            }
            return at;
        } else if (e instanceof OneOf oneOf) {
            int to = newState();
            Utf8Ranges.forEach(oneOf.chars(), new CharPaths(from, to)::add);
            return to;
        } else if (e instanceof Sequence sequence) {
            int at = from;
            for (RuleBody item : sequence.items()) {
                at = compile(item, at);
            }
            return at;
        } else if (e instanceof Choice choice) {
            int to = newState();
            for (RuleBody alternative : choice.alternatives()) {
                silent.add(compile(alternative, from), to, 0);
            }
            return to;
        } else if (e instanceof Repeat repeat) {
            return repeat(repeat, from);
        }
        String name = ((RuleCall) e).rule();
        int to = newState();
        calls.add(from, to, number(name));
        if (nullable.contains(name)) {
            silent.add(from, to, 0);
        }
        return to;
    }

    private void addBytes(int from, int to, int first, int last) {
        bytes.add(from, to, first << 8 | last);
    }

    /** The byte paths of one set of characters; equal suffixes share states. */
    private final class CharPaths {
        private final int from;
        private final int[] tails; // tails[n]: the state before n arbitrary continuation bytes

        CharPaths(int from, int to) {
            this.from = from;
            tails = new int[] {to, Edges.NONE, Edges.NONE, Edges.NONE};
        }

        /** first[i] .. last[i] is the range of byte i. */
        void add(int[] first, int[] last) {
            int free = 0; // trailing continuation bytes of any value
            while (free < first.length - 1
                    && first[first.length - 1 - free] == 0x80
                    && last[first.length - 1 - free] == 0xBF) {
                free++;
            }
            int at = from;
            int fixed = first.length - free;
            for (int i = 0; i < fixed; i++) {
                int to = i == fixed - 1 ? tail(free) : newState();
                addBytes(at, to, first[i], last[i]);
                at = to;
            }
        }

        private int tail(int n) {
            if (tails[n] == Edges.NONE) {
                tails[n] = newState();
                addBytes(tails[n], tail(n - 1), 0x80, 0xBF);
            }
            return tails[n];
        }
    }

    private int repeat(Repeat repeat, int from) {
        if (repeat.max() == 0) {
            return from;
        }
        RuleBody body = repeat.body();
        boolean unlimited = repeat.max() == RuleBody.UNLIMITED;
        boolean nullableBody = isNullable(body);
        int min = nullableBody ? 0 : repeat.min(); // a nullable body may be omitted
        int copies = unlimited ? Math.max(min, 1) : repeat.max();
        // A call reads at least one byte, which prevents an endless loop over a nullable body.
        boolean called = nullableBody || copies > 1 && size(body) > MAX_COPIED;
        int rule = called ? repeatedRule(body) : Edges.NONE;
        int at = from;
        for (int i = 0; i < (unlimited ? min - 1 : min); i++) {
            at = once(body, rule, at);
        }
        if (unlimited) {
            int loop = newState();
            silent.add(at, loop, 0);
            int after = once(body, rule, loop);
            silent.add(after, loop, 0);
            return min == 0 ? loop : after;
        }
        if (repeat.max() == min) {
            return at;
        }
        int end = newState();
        silent.add(at, end, 0);
        for (int i = min; i < repeat.max(); i++) {
            at = once(body, rule, at);
            silent.add(at, end, 0);
        }
        return end;
    }

    private int once(RuleBody body, int rule, int from) {
        if (rule == Edges.NONE) {
            return compile(body, from);
        }
        int to = newState();
        calls.add(from, to, rule);
        return to;
    }

    private int repeatedRule(RuleBody body) {
        if (body instanceof RuleCall call) {
            return number(call.rule());
        }
        return repeated.computeIfAbsent(body, key -> addRule("(repeated part " + repeated.size() + ")", key));
    }

    /** Approximate size in bytes; counting stops above MAX_COPIED. */
    private static int size(RuleBody e) {
        if (e instanceof Literal literal) {
            return literal.text().length();
        } else if (e instanceof OneOf oneOf) {
            List<CharSet.Range> ranges = oneOf.chars().ranges();
            return ranges.size()
                    * (ranges.isEmpty() || ranges.get(ranges.size() - 1).last() < 0x80 ? 1 : 8);
        } else if (e instanceof Repeat repeat) {
            int copies = repeat.max() == RuleBody.UNLIMITED ? Math.max(1, repeat.min()) : repeat.max();
            return Math.min(MAX_COPIED + 1, size(repeat.body())) * copies + 1;
        } else if (e instanceof Sequence sequence) {
            return sum(sequence.items());
        } else if (e instanceof Choice choice) {
            return sum(choice.alternatives());
        }
        return 1;
    }

    private static int sum(List<RuleBody> items) {
        int sum = 1;
        for (RuleBody item : items) {
            sum += size(item);
            if (sum > MAX_COPIED) {
                return sum;
            }
        }
        return sum;
    }
}
