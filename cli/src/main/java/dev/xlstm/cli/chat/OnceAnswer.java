package dev.xlstm.cli.chat;

import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.Turn;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.output.Bandwidth;
import dev.xlstm.cli.output.GenerationOutput;
import dev.xlstm.cli.output.JsonResult;
import dev.xlstm.cli.output.OutputOptions;
import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Answers one question, once or several times, in the output formats of {@code generate}. */
final class OnceAnswer {

    private final Streams streams;
    private final Interruption interruption;
    private final OutputOptions format;
    private final int threads;

    OnceAnswer(Streams streams, Interruption interruption, OutputOptions format, int threads) {
        this.streams = streams;
        this.interruption = interruption;
        this.format = format;
        this.threads = threads;
    }

    /** Prints the answers; returns the exit code. */
    int print(Conversation conversation, String question, GenerationOptions options) throws IOException {
        List<JsonResult> answers = new ArrayList<>();
        List<GenerationOutput.Result> results = new ArrayList<>();
        for (int i = 0; i < format.samples(); i++) {
            GenerationOutput output =
                    format.output(streams, interruption, conversation.model().tokenizer(), i + 1);
            GenerationListener listener = format.json() || format.jsonl() ? output : withoutLeadingBlanks(output);
            // each turn adds its id to the seed, which makes the seeds of the samples consecutive
            Turn turn = i == 0 ? conversation.say(question, options, listener) : conversation.retry(options, listener);
            if (turn == null) {
                return ExitCode.INTERRUPTED;
            }
            Outcome outcome = conversation.outcome();
            GenerationOutput.Result result = result(conversation, outcome, options, i);
            results.add(result);
            if (format.json() && format.samples() > 1) {
                answers.add((JsonResult) output);
            } else {
                output.end(result, false);
            }
            report(result);
            if (outcome.finishReason() == FinishReason.INTERRUPTED) {
                return ExitCode.INTERRUPTED;
            }
        }
        if (!answers.isEmpty()) {
            JsonOutput.printArray(
                    streams, answers.size(), (json, i) -> answers.get(i).write(json, results.get(i)));
        }
        return ExitCode.OK;
    }

    private GenerationOutput.Result result(
            Conversation conversation, Outcome outcome, GenerationOptions options, int sample) throws IOException {
        boolean measured = format.verbosity().statsRequested() && !interruption.requested();
        return new GenerationOutput.Result(
                outcome,
                options.grammar() != null,
                options.sampling().seed() + sample,
                conversation.model().loaded().device(),
                format.samples() > 1 ? null : Bandwidth.of(outcome, conversation.model(), threads, measured));
    }

    private void report(GenerationOutput.Result result) {
        if (!result.outcome().grammarComplete() && !format.verbosity().quiet()) {
            streams.message("xlstm: warning: the answer is cut off, the grammar was not finished (end: "
                    + result.outcome().finishReason() + ")");
        }
        if (format.verbosity().stats(streams)) {
            streams.message(result.statistics());
        }
    }

    /** Base models begin their answer with a blank. */
    private static GenerationListener withoutLeadingBlanks(GenerationOutput output) {
        return new GenerationListener() {
            private boolean begun;

            @Override
            public void text(String piece) {
                String shown = begun ? piece : piece.stripLeading();
                begun |= !shown.isEmpty();
                output.text(shown);
            }

            @Override
            public boolean cancelled() {
                return output.cancelled();
            }
        };
    }
}
