package dev.xlstm.sampling;

import dev.xlstm.error.BadRequestException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The steps whose order can be chosen, in the order they have otherwise. */
public enum StepName {
    PENALTIES,
    DRY,
    TOP_K,
    TOP_P,
    MIN_P,
    XTC,
    TEMPERATURE;

    /** All steps, in the declared order. */
    public static final List<StepName> DEFAULT_ORDER = List.of(values());

    /** Whether the step looks at ids, not at ranks: those come first. */
    boolean looksAtIds() {
        return this == PENALTIES || this == DRY;
    }

    /** As it is written in lists: {@code top_k}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads names separated by semicolons, {@code top_k;temperature}; {@code top-k} is the same as {@code top_k}. No
     * name at all means no step.
     *
     * @throws BadRequestException if a name is unknown
     */
    public static List<StepName> parseList(String list) {
        List<StepName> order = new ArrayList<>();
        for (String item : list.split(";")) {
            String name = item.strip();
            if (!name.isEmpty()) {
                order.add(Arrays.stream(values())
                        .filter(step -> step.toString().equals(name.replace('-', '_')))
                        .findFirst()
                        .orElseThrow(() -> new BadRequestException("unknown sampler \"" + name + "\"; there are "
                                + Arrays.stream(values())
                                        .map(StepName::toString)
                                        .collect(Collectors.joining(";")))));
            }
        }
        return List.copyOf(order);
    }

    /** Refuses an order that repeats a step or has one that looks at ids after one that looks at ranks. */
    static void checkOrder(List<StepName> order) {
        StepName ranked = null;
        for (int i = 0; i < order.size(); i++) {
            StepName step = order.get(i);
            if (order.subList(0, i).contains(step)) {
                throw new BadRequestException("sampler " + step + " is listed twice");
            }
            if (!step.looksAtIds()) {
                ranked = step;
            } else if (ranked != null) {
                throw new BadRequestException("sampler " + step + " must come before " + ranked
                        + ": it changes logits that " + ranked + " compares");
            }
        }
    }
}
