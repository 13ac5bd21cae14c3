package dev.xlstm.grammar;

import dev.xlstm.grammar.Expression.Call;
import dev.xlstm.grammar.Expression.Choice;
import dev.xlstm.grammar.Expression.Literal;
import dev.xlstm.grammar.Expression.OneOf;
import dev.xlstm.grammar.Expression.Repeat;
import dev.xlstm.grammar.Expression.Sequence;
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

/** Turns the rules that can be reached from the root into graphs of states, by Thompson's construction. */
final class AutomatonBuilder {

    /** Repeated parts with more bytes than this become rules of their own: their copies are single edges. */
    private static final int MAX_COPIED = 8;

    final Edges bytes = new Edges(); // label: first byte << 8 | last byte
    final Edges silent = new Edges();
    final Edges calls = new Edges(); // label: rule
    final List<String> names = new ArrayList<>(); // [rules]; rule 0 is the root
    final List<Integer> starts = new ArrayList<>(); // [rules]
    final BitSet ends = new BitSet(); // states where a rule has been read
    final BitSet nullableRules = new BitSet();
    int states;

    private final Grammar grammar;
    private final Set<String> nullable = new HashSet<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<Expression> bodies = new ArrayList<>();
    private final Map<Expression, Integer> repeated = new HashMap<>();

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
        // those that are called before those that call them, and each once, or a long rule is read again for each that
        // it calls
        LinkedHashSet<String> unknown = new LinkedHashSet<>(reached.reversed());
        while (!unknown.isEmpty()) {
            String name = unknown.removeFirst();
            if (!nullable.contains(name) && isNullable(grammar.rule(name))) {
                nullable.add(name);
                unknown.addAll(callers.getOrDefault(name, List.of()));
            }
        }
    }

    private static void collectCalls(Expression e, Set<String> calls) {
        if (e instanceof Call call) {
            calls.add(call.rule());
        } else if (e instanceof Repeat repeat) {
            collectCalls(repeat.body(), calls);
        } else if (e instanceof Sequence sequence) {
            sequence.items().forEach(item -> collectCalls(item, calls));
        } else if (e instanceof Choice choice) {
            choice.alternatives().forEach(item -> collectCalls(item, calls));
        }
    }

    /** Whether it may be nothing. */
    private boolean isNullable(Expression e) {
        if (e instanceof Literal literal) {
            return literal.text().isEmpty();
        } else if (e instanceof Call call) {
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

    private int addRule(String name, Expression body) {
        int rule = names.size();
        names.add(name);
        bodies.add(body);
        starts.add(Edges.NONE);
        numbers.put(name, rule);
        return rule;
    }

    private int newState() {
        if (states == Limits.STATES) {
            throw new GrammarException("the grammar needs more than " + Limits.STATES
                    + " states: make its literals, choices or repetitions smaller");
        }
        return states++;
    }

    /** Adds what reads the expression after {@code from}; returns the state after it. */
    private int compile(Expression e, int from) {
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
            for (Expression item : sequence.items()) {
                at = compile(item, at);
            }
            return at;
        } else if (e instanceof Choice choice) {
            int to = newState();
            for (Expression alternative : choice.alternatives()) {
                silent.add(compile(alternative, from), to, 0);
            }
            return to;
        } else if (e instanceof Repeat repeat) {
            return repeat(repeat, from);
        }
        String name = ((Call) e).rule();
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

    /** The byte paths of one set of characters; those that end alike share their ends. */
    private final class CharPaths {
        private final int from;
        private final int[] tails; // tails[n]: the state that n continuation bytes of any value lead on from

        CharPaths(int from, int to) {
            this.from = from;
            tails = new int[] {to, Edges.NONE, Edges.NONE, Edges.NONE};
        }

        /** first[i] .. last[i] is the range of byte i. */
        void add(int[] first, int[] last) {
            int free = 0; // trailing bytes of any value
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
        Expression body = repeat.body();
        boolean unlimited = repeat.max() == Expression.UNLIMITED;
        boolean nullableBody = isNullable(body);
        int min = nullableBody ? 0 : repeat.min(); // what may be nothing may be missing
        int copies = unlimited ? Math.max(min, 1) : repeat.max();
        // called, a body that may be nothing is read only where it is something: no loop that reads nothing
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

    private int once(Expression body, int rule, int from) {
        if (rule == Edges.NONE) {
            return compile(body, from);
        }
        int to = newState();
        calls.add(from, to, rule);
        return to;
    }

    private int repeatedRule(Expression body) {
        if (body instanceof Call call) {
            return number(call.rule());
        }
        return repeated.computeIfAbsent(body, key -> addRule("(repeated part " + repeated.size() + ")", key));
    }

    /** About how many bytes are written down in it, counted no further than needed. */
    private static int size(Expression e) {
        if (e instanceof Literal literal) {
            return literal.text().length();
        } else if (e instanceof OneOf oneOf) {
            List<CharSet.Range> ranges = oneOf.chars().ranges();
            return ranges.size()
                    * (ranges.isEmpty() || ranges.get(ranges.size() - 1).last() < 0x80 ? 1 : 8);
        } else if (e instanceof Repeat repeat) {
            int copies = repeat.max() == Expression.UNLIMITED ? Math.max(1, repeat.min()) : repeat.max();
            return Math.min(MAX_COPIED + 1, size(repeat.body())) * copies + 1;
        } else if (e instanceof Sequence sequence) {
            return sum(sequence.items());
        } else if (e instanceof Choice choice) {
            return sum(choice.alternatives());
        }
        return 1;
    }

    private static int sum(List<Expression> items) {
        int sum = 1;
        for (Expression item : items) {
            sum += size(item);
            if (sum > MAX_COPIED) {
                return sum;
            }
        }
        return sum;
    }
}
