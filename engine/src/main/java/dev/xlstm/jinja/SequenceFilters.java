package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;

/** jinja2's filters of sequences and mappings. */
final class SequenceFilters {

    private final Budget budget;
    private final String name;
    private final Object value;
    private final Arguments arguments;

    private SequenceFilters(Budget budget, String name, Object value, Arguments arguments) {
        this.budget = budget;
        this.name = name;
        this.value = value;
        this.arguments = arguments;
    }

    static Object apply(Budget budget, String name, Object value, Arguments arguments) {
        return new SequenceFilters(budget, name, value, arguments).apply();
    }

    private Object apply() {
        return switch (name) {
            case "batch" -> batch(bind(1, "linecount", "fill_with"));
            case "dictsort" -> dictSort(bind(0, "case_sensitive", "by", "reverse"));
            case "first" -> {
                bind(0);
                yield first();
            }
            case "groupby" -> groupBy(bind(1, "attribute", "default", "case_sensitive"));
            case "items" -> {
                bind(0);
                yield new Generator(this::pairs);
            }
            case "join" -> join(bind(0, "d", "attribute"));
            case "last" -> {
                bind(0);
                yield last();
            }
            case "list" -> {
                bind(0);
                yield copy();
            }
            case "map" -> new Generator(this::map);
            case "max" -> extreme(bind(0, "case_sensitive", "attribute"), 1);
            case "min" -> extreme(bind(0, "case_sensitive", "attribute"), -1);
            case "reject" -> new Generator(() -> select(false, false));
            case "rejectattr" -> new Generator(() -> select(true, false));
            case "reverse" -> {
                bind(0);
                yield reverse();
            }
            case "select" -> new Generator(() -> select(false, true));
            case "selectattr" -> new Generator(() -> select(true, true));
            case "slice" -> slice(bind(1, "slices", "fill_with"));
            case "sort" -> sort(bind(0, "reverse", "case_sensitive", "attribute"));
            case "sum" -> sum(bind(0, "attribute", "start"));
            case "unique" -> {
                Arguments.Bound bound = bind(0, "case_sensitive", "attribute");
                yield new Generator(() -> unique(bound));
            }
            default -> throw new IllegalStateException(name);
        };
    }

    private Arguments.Bound bind(int required, String... names) {
        return arguments.bind(name, required, names);
    }

    private List<Object> items() {
        return Values.items(budget, value);
    }

    private List<Object> copy() {
        List<Object> items = items();
        budget.items(items.size());
        return new ArrayList<>(items);
    }

    private Object first() {
        if (value instanceof Generator generator) {
            return generator.hasNext() ? generator.next() : empty();
        }
        List<Object> items = items();
        return items.isEmpty() ? empty() : items.getFirst();
    }

    private Undefined empty() {
        return new Undefined("'" + name + "' of an empty sequence is undefined");
    }

    private Object last() {
        if (value instanceof Generator) {
            throw new JinjaException("'last' does not work on a generator; use list first");
        }
        List<Object> items = items();
        return items.isEmpty() ? empty() : items.getLast();
    }

    private Object reverse() {
        if (value instanceof TrackedString s) {
            return Values.slice(budget, s, null, null, -1L);
        }
        boolean generator = value instanceof Generator;
        List<Object> reversed = copy().reversed();
        return generator ? reversed : new Generator(() -> reversed);
    }

    private List<Object> pairs() {
        if (value instanceof Undefined) {
            return List.of();
        } else if (!(value instanceof Dict dict)) {
            throw new JinjaException("'items' needs a dict, not " + Values.type(value));
        } else {
            budget.items(2L * dict.size());
            return dict.items();
        }
    }

    /** The item at a path of names and indices with dots between; the value itself if the path is None. */
    private static Object follow(Object value, Object path, Object absent) {
        if (path == null) {
            return value;
        }
        if (!(path instanceof TrackedString names)) {
            return orDefault(Values.item(value, path), absent);
        }
        Object at = value;
        for (Object part : PythonStrings.split(names, ".", -1)) {
            TrackedString key = (TrackedString) part;
            boolean index = PythonStrings.all(key.toString(), PythonStrings::isDecimal);
            at = orDefault(Values.item(at, index ? Numbers.parseInteger(key.toString(), 10) : key), absent);
        }
        return at;
    }

    private static Object orDefault(Object found, Object absent) {
        return found instanceof Undefined && absent != null ? absent : found;
    }

    /** The key to compare by: strings in lower case unless case matters. */
    private Object key(Object value, boolean caseSensitive) {
        return !caseSensitive && value instanceof TrackedString s ? PythonStrings.lower(budget, s) : value;
    }

    private record Keyed(Object key, Object item) {}

    /** Sorts by key; stable, also in reverse. */
    private List<Object> sorted(List<Keyed> keyed, boolean reverse) {
        Comparator<Keyed> order = (a, b) -> {
            budget.step();
            return Values.compare(a.key, b.key);
        };
        List<Keyed> copy = new ArrayList<>(keyed);
        try {
            copy.sort(reverse ? order.reversed() : order);
        } catch (IllegalArgumentException e) { // NaN breaks the order
            throw new JinjaException("'" + name + "': the values have no order");
        }
        List<Object> items = new ArrayList<>();
        copy.forEach(entry -> items.add(entry.item));
        return items;
    }

    private List<Object> sort(Arguments.Bound bound) {
        boolean caseSensitive = bound.flag(1);
        Object attribute = bound.get(2, null);
        List<Object> paths = attribute instanceof TrackedString s
                ? PythonStrings.split(s, ",", -1)
                : Tuple.of(attribute).items();
        List<Keyed> keyed = new ArrayList<>();
        for (Object item : copy()) {
            budget.steps(paths.size());
            List<Object> keys = new ArrayList<>();
            paths.forEach(path -> keys.add(key(follow(item, path, null), caseSensitive)));
            keyed.add(new Keyed(keys, item));
        }
        return sorted(keyed, bound.flag(0));
    }

    private List<Object> dictSort(Arguments.Bound bound) {
        String by = bound.string(1, "key").toString();
        if (!by.equals("key") && !by.equals("value")) {
            throw new JinjaException("dictsort sorts by \"key\" or \"value\"");
        } else if (value instanceof Undefined u) {
            throw u.error();
        } else if (!(value instanceof Dict)) {
            throw new JinjaException("dictsort needs a dict, not " + Values.type(value));
        }
        List<Keyed> keyed = new ArrayList<>();
        for (Object pair : pairs()) {
            Object sortedBy = ((Tuple) pair).items().get(by.equals("key") ? 0 : 1);
            keyed.add(new Keyed(key(sortedBy, bound.flag(0)), pair));
        }
        return sorted(keyed, bound.flag(2));
    }

    private List<Object> groupBy(Arguments.Bound bound) {
        Object attribute = bound.get(0);
        Object absent = bound.get(1, null);
        boolean caseSensitive = bound.flag(2);
        List<Keyed> keyed = new ArrayList<>();
        for (Object item : copy()) {
            keyed.add(new Keyed(key(follow(item, attribute, absent), caseSensitive), item));
        }
        List<Object> groups = new ArrayList<>();
        List<Object> group = null;
        Object groupKey = null;
        for (Object item : sorted(keyed, false)) {
            Object key = key(follow(item, attribute, absent), caseSensitive);
            if (group == null || !Values.equal(key, groupKey)) {
                group = new ArrayList<>();
                groupKey = key;
                List<Object> pair = new ArrayList<>();
                pair.add(follow(item, attribute, absent));
                pair.add(group);
                groups.add(new Tuple(pair, List.of("grouper", "list")));
            }
            group.add(item);
        }
        return groups;
    }

    private List<Object> unique(Arguments.Bound bound) {
        Set<Object> seen = new HashSet<>();
        List<Object> items = new ArrayList<>();
        for (Object item : items()) {
            budget.step();
            if (seen.add(Dict.hashKey(key(follow(item, bound.get(1, null), null), bound.flag(0))))) {
                items.add(item);
            }
        }
        return items;
    }

    private Object extreme(Arguments.Bound bound, int sign) {
        Keyed best = null;
        for (Object item : items()) {
            budget.step();
            Keyed next = new Keyed(key(follow(item, bound.get(1, null), null), bound.flag(0)), item);
            if (best == null || Values.compare(next.key, best.key) * sign > 0) {
                best = next;
            }
        }
        return best == null ? empty() : best.item;
    }

    private Object sum(Arguments.Bound bound) {
        Object sum = bound.get(1, 0L);
        if (sum instanceof TrackedString) {
            throw new JinjaException("'sum' does not add strings; use join");
        }
        BinaryOperator<Object> plus = (a, b) -> Operators.arithmetic(budget, "+", a, b);
        for (Object item : items()) {
            budget.step();
            sum = plus.apply(sum, follow(item, bound.get(0, null), null));
        }
        return sum;
    }

    private TrackedString join(Arguments.Bound bound) {
        TrackedString separator = Representation.str(budget, bound.get(0, TrackedString.EMPTY));
        List<Object> texts = new ArrayList<>();
        for (Object item : items()) {
            budget.step();
            texts.add(Representation.str(budget, follow(item, bound.get(1, null), null)));
        }
        return PythonStrings.join(budget, separator, texts);
    }

    private Object batch(Arguments.Bound bound) {
        return new Generator(() -> {
            List<Object> batches = new ArrayList<>();
            long size = bound.integer(0);
            List<Object> batch = new ArrayList<>();
            for (Object item : copy()) {
                if (batch.size() == size) {
                    batches.add(batch);
                    batch = new ArrayList<>();
                }
                batch.add(item);
            }
            if (!batch.isEmpty()) {
                if (bound.get(1, null) != null) {
                    budget.items(Math.max(0, size - batch.size()));
                    while (batch.size() < size) {
                        batch.add(bound.get(1));
                    }
                }
                batches.add(batch);
            }
            return batches;
        });
    }

    private Object slice(Arguments.Bound bound) {
        return new Generator(() -> {
            List<Object> items = copy();
            long slices = bound.integer(0);
            if (slices == 0) {
                throw new JinjaException("slice: the number of slices must not be 0");
            }
            budget.items(Math.max(0, slices));
            List<Object> result = new ArrayList<>();
            long longer = Math.floorMod(items.size(), slices); // slices with one item more
            long size = Math.floorDiv(items.size(), slices);
            int from = 0;
            for (long i = 0; i < slices; i++) {
                int end = (int) (from + size + (i < longer ? 1 : 0));
                List<Object> slice = new ArrayList<>(items.subList(from, end));
                if (bound.get(1, null) != null && i >= longer) {
                    slice.add(bound.get(1));
                }
                result.add(slice);
                from = end;
            }
            return result;
        });
    }

    private List<Object> map() {
        if (!Values.truth(value)) {
            return List.of();
        }
        boolean byAttribute =
                arguments.positional().isEmpty() && arguments.named().containsKey("attribute");
        if (byAttribute) {
            Object unknown = arguments.namedExcept(List.of("attribute", "default")).keySet().stream()
                    .findFirst()
                    .orElse(null);
            if (unknown != null) {
                throw new JinjaException("map takes no argument named '" + unknown + "'");
            }
        } else if (arguments.positional().isEmpty()) {
            throw new JinjaException("map needs the name of a filter or an attribute");
        }
        List<Object> mapped = new ArrayList<>();
        for (Object item : items()) {
            budget.step();
            if (byAttribute) {
                Object absent = arguments.named().get("default");
                mapped.add(follow(item, arguments.named().get("attribute"), absent));
            } else {
                String filter = Values.string(arguments.positional().get(0)).toString();
                mapped.add(Filters.apply(budget, filter, item, arguments.from(1)));
            }
        }
        return mapped;
    }

    private List<Object> select(boolean byAttribute, boolean wanted) {
        if (!Values.truth(value)) {
            return List.of();
        }
        int test = byAttribute ? 1 : 0;
        if (arguments.positional().size() < test) {
            throw new JinjaException("'" + name + "' needs the name of an attribute");
        }
        List<Object> selected = new ArrayList<>();
        for (Object item : items()) {
            budget.step();
            Object subject = byAttribute ? follow(item, arguments.positional().get(0), null) : item;
            boolean holds = arguments.positional().size() > test
                    ? Tests.holds(
                            budget,
                            Values.string(arguments.positional().get(test)).toString(),
                            subject,
                            arguments.from(test + 1))
                    : Values.truth(subject);
            if (holds == wanted) {
                selected.add(item);
            }
        }
        return selected;
    }
}
