package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import java.util.function.Supplier;

/** Prints as it comes: text, or ids separated by blanks for a model without a tokenizer. */
public class TextOutput extends GenerationOutput {

    private final boolean hasText;
    private boolean inLine;

    TextOutput(Streams streams, Interruption interruption, boolean hasText) {
        super(streams, interruption);
        this.hasText = hasText;
    }

    @Override
    public void text(String piece) {
        if (!piece.isEmpty()) {
            streams.printUntrusted(piece);
            inLine = !piece.endsWith("\n");
        }
    }

    @Override
    public void token(int id, String piece, Supplier<float[]> logits) {
        if (hasText) {
            text(piece);
        } else {
            streams.print(inLine ? " " + id : Integer.toString(id));
            inLine = true;
        }
    }

    /** A text that does not end in a line feed gets one, unless its next part is to be put behind it. */
    @Override
    public void end(Result result, boolean goesOn) {
        if (inLine && (!goesOn || streams.outIsTerminal() || !hasText)) {
            streams.print("\n");
        }
    }
}
