package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.IdList;
import dev.xlstm.generation.Gatherer;
import java.util.function.Supplier;

/** Prints one of several texts when it is done: a line with its number and seed, then the text. */
public final class SampleText extends GenerationOutput {

    private final Gatherer gatherer = new Gatherer();
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
        gatherer.text(piece);
    }

    @Override
    public void token(int id, Supplier<float[]> logits) {
        gatherer.token(id, logits);
    }

    @Override
    public void end(Result result, boolean goesOn) {
        String text = prompt + (hasText ? gatherer.text() : IdList.format(gatherer.ids()));
        streams.printUntrusted((sample == 1 ? "" : "\n") + "==> " + sample + " of " + samples + ", seed "
                + result.seed() + " <==\n" + text + (text.endsWith("\n") ? "" : "\n"));
    }
}
