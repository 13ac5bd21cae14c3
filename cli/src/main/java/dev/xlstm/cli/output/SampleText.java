package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.IdList;
import dev.xlstm.generation.CollectingListener;
import java.util.function.Supplier;

/** Prints one of several texts at its end, under a line with its number and seed. */
public final class SampleText extends GenerationOutput {

    private final CollectingListener collected = new CollectingListener();
    private final StringBuilder prompt = new StringBuilder();
    private final boolean hasText;
    private final int sample;
    private final int samples;

    /**
     * @param sample counted from 1
     */
    SampleText(Streams streams, Interruption interruption, boolean hasText, int sample, int samples) {
        super(streams, interruption);
        this.hasText = hasText;
        this.sample = sample;
        this.samples = samples;
    }

    @Override
    public void echo(String piece) {
        prompt.append(piece);
    }

    @Override
    public void text(String piece) {
        collected.text(piece);
    }

    @Override
    public void token(int id, String piece, Supplier<float[]> logits) {
        collected.token(id, piece, logits);
    }

    @Override
    public void end(Result result, boolean goesOn) {
        String text = prompt + (hasText ? collected.text() : IdList.format(collected.ids()));
        streams.printUntrusted((sample == 1 ? "" : "\n") + "==> " + sample + " of " + samples + ", seed "
                + result.seed() + " <==\n" + text + (text.endsWith("\n") ? "" : "\n"));
    }
}
