package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Repeat;
import java.util.ArrayList;
import java.util.List;

/**
 * A sequence separated by commas: listed items in their order, then any number of other items, then white space; with
 * bounds on the number of items. Other items may be equal to each other, so that all of them count as one towards the
 * lower bound.
 */
final class OrderedItems {

    private static final RuleBody SPACE = new RuleBody.RuleCall("space");

    private final List<RuleBody> items;
    private final List<Boolean> optional;
    private final RuleBody others; // null for none
    private final int min;
    private final int max; // or UNLIMITED
    private final int counts; // item counts from here on are equivalent
    private final RuleSet rules;

    OrderedItems(List<RuleBody> items, List<Boolean> optional, RuleBody others, int min, int max, RuleSet rules) {
        this.items = items;
        this.optional = optional;
        this.others = others;
        this.min = min;
        this.max = max;
        counts = max == RuleBody.UNLIMITED ? min : max;
        this.rules = rules;
    }

    /** The text between the brackets, without leading white space; null if the bounds allow none. */
    RuleBody compile() {
        int limit = Math.min(counts, items.size()); // no more items than listed are counted before others
        RuleBody[] rest = new RuleBody[limit + 1]; // [items so far]: what follows; null if impossible
        for (int count = 0; count <= limit; count++) {
            rest[count] = end(count);
        }
        List<RuleBody> firsts = new ArrayList<>(); // the ways to begin, the last listed item first
        if (others != null && min <= 1 && max != 0) {
            RuleBody more = repeat(max == RuleBody.UNLIMITED ? max : max - 1, 0);
            firsts.add(RuleBody.sequence(others, more, SPACE));
        }
        boolean mayBeEmpty = min == 0;
        for (int i = items.size() - 1; i >= 0; i--) {
            RuleBody[] calls = new RuleBody[limit + 1];
            for (int count = 0; count <= limit; count++) {
                calls[count] = rest[count] == null ? null : rules.add("members", rest[count]);
            }
            for (int count = 0; count <= limit; count++) {
                boolean full = max != RuleBody.UNLIMITED && count >= max;
                RuleBody with = full ? null : calls[Math.min(count + 1, limit)];
                RuleBody without = optional.get(i) ? calls[count] : null;
                RuleBody next = RuleBody.sequence(RuleBody.literal(","), SPACE, items.get(i));
                if (with != null && with == without) {
                    rest[count] = RuleBody.sequence(RuleBody.optional(next), with);
                } else if (with != null && without != null) {
                    rest[count] = RuleBody.choice(RuleBody.sequence(next, with), without);
                } else {
                    rest[count] = with != null ? RuleBody.sequence(next, with) : without;
                }
            }
            if (!optional.get(i)) {
                firsts.clear();
                mayBeEmpty = false;
            }
            RuleBody after = max == 0 ? null : calls[Math.min(1, limit)];
            if (after != null) {
                firsts.add(RuleBody.sequence(items.get(i), after));
            }
        }
        if (mayBeEmpty) {
            firsts.add(RuleBody.EMPTY);
        }
        return firsts.isEmpty() ? null : RuleBody.choice(firsts);
    }

    /** What follows the listed items, {@code count} of which are present. */
    private RuleBody end(int count) {
        int needed = Math.max(0, min - count);
        int free = max == RuleBody.UNLIMITED ? max : max - count;
        if (needed > (others == null ? 0 : 1) || free != RuleBody.UNLIMITED && free < needed) {
            return null;
        }
        return others == null ? SPACE : RuleBody.sequence(repeat(free, needed), SPACE);
    }

    private RuleBody repeat(int atMost, int atLeast) {
        return new Repeat(RuleBody.sequence(RuleBody.literal(","), SPACE, others), atLeast, atMost);
    }
}
