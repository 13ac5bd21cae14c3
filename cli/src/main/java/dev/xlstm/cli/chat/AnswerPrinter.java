package dev.xlstm.cli.chat;

import dev.xlstm.cli.console.Streams;
import java.util.function.Consumer;

/** Prints a text in pieces, without white space around it. Control characters are shown, not sent. */
final class AnswerPrinter {

    private final Consumer<String> out;
    private String held = ""; // white space that may be the last
    private boolean begun;

    AnswerPrinter(Consumer<String> out) {
        this.out = out;
    }

    void print(String piece) {
        String text = held + piece;
        String shown = text.stripTrailing();
        held = text.substring(shown.length());
        if (!begun) {
            shown = shown.stripLeading();
        }
        if (!shown.isEmpty()) {
            begun = true;
            out.accept(Streams.visible(shown));
        }
    }

    /** Ends the line, if anything is in it. */
    void end() {
        if (begun) {
            out.accept("\n");
        }
    }
}
