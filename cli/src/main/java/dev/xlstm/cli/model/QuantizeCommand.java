package dev.xlstm.cli.model;

import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.ProgressBar;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.model.CheckpointQuantizer;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm quantize}. */
@Command(
        name = "quantize",
        description = {
            "Writes a copy of a model in another format: smaller and faster with weights quantized to 8 or 4 bits, or in f32,"
                    + " f16 or bf16.",
            "",
            "The copy is an ordinary model directory. It appears when it is complete; the next run removes what an"
                    + " interrupted one left behind."
        },
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm quantize ~/models/xLSTM-7b ~/models/xLSTM-7b-q8_0",
            "  xlstm quantize NX-AI/xLSTM-7b ~/models/xLSTM-7b-q4_0 --format q4_0",
        })
public final class QuantizeCommand implements Callable<Integer> {

    @Parameters(
            index = "0",
            paramLabel = "SRC",
            description = "Directory of the model, or its name in the local Hugging Face cache.")
    private Path source;

    @Parameters(index = "1", paramLabel = "DST", description = "Directory to create.")
    private Path target;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description =
                    "q8_0 (8.5 bits per weight, almost no loss), q4_0 (4.5 bits), f32, f16 or bf16. Default: q8_0")
    private String format = "q8_0";

    @Option(
            names = "--tokenizer",
            paramLabel = "TOKENIZER",
            description = "Copy the tokenizer from here: a tokenizer.json, its directory, or the name of a model in the"
                    + " local Hugging Face cache. Default: the tokenizer of the model")
    private Path tokenizer;

    @Option(
            names = {"-q", "--quiet"},
            fallbackValue = "true",
            description = "Print only errors.")
    private boolean quiet;

    @Spec
    private CommandSpec spec;

    private final Streams streams;
    private final Interruption interruption;

    public QuantizeCommand(Streams streams, Interruption interruption) {
        this.streams = streams;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws IOException {
        if (!ModelDirectory.formats().contains(format)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--format must be one of " + String.join(", ", ModelDirectory.formats()) + ", not '" + format
                            + "'");
        }
        interruption.begin();
        try (ModelDirectory model = ModelDirectory.open(source.toString());
                ProgressBar bar = new ProgressBar(streams, "quantize")) {
            if (tokenizer != null) {
                model.useTokenizer(tokenizer.toString());
            }
            CheckpointQuantizer.quantize(model, target, WeightFormat.of(format), (done, total) -> {
                if (interruption.requested()) {
                    throw new CancellationException();
                }
                if (!quiet) {
                    bar.show(done, total, ByteSize.text(done) + " of " + ByteSize.text(total));
                }
            });
        } catch (CancellationException e) {
            return ExitCode.INTERRUPTED;
        } finally {
            interruption.end();
        }
        if (!quiet && streams.errIsTerminal()) {
            streams.message("wrote " + target);
        }
        return ExitCode.OK;
    }
}
