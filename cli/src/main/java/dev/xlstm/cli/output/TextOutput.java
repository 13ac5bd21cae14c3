package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import java.util.function.Supplier;

/** Streams the text; for a model without a tokenizer, ids separated by blanks. */
public class TextOutput extends GenerationOutput {

    private final boolean hasText;
    private final boolean inLines;
    private boolean inLine;
    private boolean empty = true;

    /**
     * @param inLines whether a script reads the output in lines: an empty text is then an empty line
     */
    TextOutput(Streams streams, Interruption interruption, boolean hasText, boolean inLines) {
        super(streams, interruption);
        this.hasText = hasText;
        this.inLines = inLines;
    }

    @Override
    public void text(String piece) {
        if (!piece.isEmpty()) {
            streams.printUntrusted(piece);
            inLine = !piece.endsWith("\n");
            empty = false;
        }
    }

    @Override
    public void token(int id, String piece, Supplier<float[]> logits) {
        if (hasText) {
            text(piece);
        } else {
            streams.print(inLine ? " " + id : Integer.toString(id));
            inLine = true;
            empty = false;
        }
    }

    /** Ends the last line, unless a later run may append to it. */
    @Override
    public void end(Result result, boolean goesOn) {
        if (inLine && (!goesOn || streams.outIsTerminal() || !hasText) || inLines && empty && !goesOn) {
            streams.print("\n");
        }
    }
}
