package dev.xlstm.cli.batch;

import dev.xlstm.fuzz.FuzzTarget;
import dev.xlstm.fuzz.Mutator;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.request.GenerationRequest;
import dev.xlstm.request.RequestReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The lines of a batch. */
public final class BatchFuzzTargets {

    private BatchFuzzTargets() {}

    /** What is wrong with a line belongs to its result: nothing is thrown. */
    public static FuzzTarget batchLine() {
        String line = "{\"id\": \"a\", \"prompt\": \"Once\", \"max_tokens\": 3, \"temperature\": 0.7, \"top_p\": 0.9,"
                + " \"stop\": [\"x\"], \"seed\": 7, \"repetition_penalty\": 1.1, \"repeat_last_n\": 64}";
        List<String> words = new ArrayList<>(RequestReader.fields()); // in one order, for one seed
        words.addAll(List.of("../x", "/dev/zero"));
        return new FuzzTarget(
                "batch-line",
                List.of(
                        line.getBytes(StandardCharsets.UTF_8),
                        "{\"id\": 1, \"prompt_ids\": [1, 2], \"stop_ids\": [0], \"ignore_eos\": true, \"state\": \"x.state\"}"
                                .getBytes(StandardCharsets.UTF_8)),
                Mutator.json(words),
                input -> {
                    BatchLine parsed = BatchLine.parse(
                            new String(input, StandardCharsets.UTF_8),
                            1,
                            GenerationRequest.defaults(GenerationOptions.defaults(), null),
                            null);
                    if (parsed.error() != null) {
                        throw new IOException(parsed.error());
                    }
                });
    }
}
