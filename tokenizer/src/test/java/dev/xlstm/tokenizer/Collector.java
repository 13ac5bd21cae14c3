package dev.xlstm.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** The end of a chain of stages, which keeps what arrives. */
final class Collector implements Stage {
    final List<String> stretches = new ArrayList<>();
    private final StringBuilder stretch = new StringBuilder();

    @Override
    public void text(char[] chars, int from, int to) {
        stretch.append(chars, from, to - from);
    }

    @Override
    public void end() {
        if (!stretch.isEmpty()) {
            stretches.add(stretch.toString());
            stretch.setLength(0);
        }
    }

    @Override
    public void token(int id) {
        stretches.add("#" + id);
    }

    String text() {
        return String.join("", stretches);
    }
}
