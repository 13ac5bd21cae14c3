package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import java.util.function.Supplier;

/** Streams the text; for a model without a tokenizer, ids separated by blanks. */
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

    /** Ends the last line, unless a later run may append to it. */
    @Override
    public void end(Result result, boolean goesOn) {
        if (inLine && (!goesOn || streams.outIsTerminal() || !hasText)) {
            streams.print("\n");
        }
    }
}
