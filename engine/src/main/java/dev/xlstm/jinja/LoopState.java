package dev.xlstm.jinja;

import java.util.List;
import java.util.function.Function;

/** The variable {@code loop}. A recursive loop can call it with the items of the next level. */
final class LoopState implements Callable {

    private final List<Object> items;
    private final int depth; // 0 for the outermost level
    private final Function<Object, TrackedString> recursion; // null unless the loop is recursive
    private int index = -1;
    private List<Object> lastChanged;

    LoopState(List<Object> items, int depth, Function<Object, TrackedString> recursion) {
        this.items = items;
        this.depth = depth;
        this.recursion = recursion;
    }

    void advance() {
        index++;
    }

    int length() {
        return items.size();
    }

    Object attribute(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) items.size() - index;
            case "revindex0" -> items.size() - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == items.size() - 1;
            case "length" -> (long) items.size();
            case "depth" -> depth + 1L;
            case "depth0" -> (long) depth;
            case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("there is no previous item");
            case "nextitem" -> index + 1 < items.size() ? items.get(index + 1) : new Undefined("there is no next item");
            case "cycle" -> (Callable) (budget, arguments) -> cycle(arguments.bindAll("loop.cycle"));
            case "changed" -> (Callable) (budget, arguments) -> hasChanged(arguments.bindAll("loop.changed"));
            default -> Members.ABSENT;
        };
    }

    private Object cycle(List<Object> values) {
        if (values.isEmpty()) {
            throw new JinjaException("loop.cycle() needs at least one item");
        }
        return values.get(index % values.size());
    }

    private boolean hasChanged(List<Object> values) {
        boolean changed = lastChanged == null || !Values.equal(lastChanged, values);
        lastChanged = values;
        return changed;
    }

    @Override
    public Object call(Budget budget, Arguments arguments) {
        if (recursion == null) {
            throw new JinjaException("only a loop marked 'recursive' can be called");
        }
        return recursion.apply(arguments.bind("loop", 1, "iterable").get(0));
    }

    @Override
    public String representation() {
        return "<LoopContext " + (index + 1) + "/" + items.size() + ">";
    }
}
