package dev.xlstm.cli.models;

import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.PullRun;
import dev.xlstm.cli.options.UsageErrors;
import dev.xlstm.hub.HubName;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm pull}. */
@Command(
        name = "pull",
        description = {
            "Fetches a model from the Hugging Face hub into its cache.",
            "",
            "Every file is verified. An interrupted pull goes on where it stopped. A model that cannot be run is refused"
                    + " before its weights are fetched. With --format the weights are converted while they arrive: the"
                    + " original is never stored, and ORG/NAME:FORMAT names the result wherever a model is named.",
            "",
            "HF_TOKEN gives an access token, HF_ENDPOINT another hub," + " HF_HUB_CACHE another cache."
        },
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm pull ethicalabs/xLSTM-7b-Instruct",
            "  xlstm chat -m ethicalabs/xLSTM-7b-Instruct",
            "  xlstm pull NX-AI/xLSTM-7b --format q4_0",
            "  xlstm generate -m NX-AI/xLSTM-7b:q4_0 \"The capital of France is\"",
        })
public final class PullCommand implements Callable<Integer> {

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "ORG/NAME on the hub; ORG/NAME@REVISION for a branch, tag or commit; ORG/NAME/DIRECTORY for a"
                    + " model in a directory of a repository.")
    private String model;

    @Option(
            names = "--format",
            completionCandidates = ModelOptions.FormatNames.class,
            paramLabel = "FORMAT",
            description = "Convert the weights: q4_0, q8_0, bf16, f16 or f32. Default: as they are on the hub")
    private String format;

    @Option(
            names = {"-y", "--yes"},
            fallbackValue = "true",
            description = "Do not ask before more than 1 GB is fetched. Without a terminal nothing is asked.")
    private boolean yes;

    @Option(
            names = {"-q", "--quiet"},
            fallbackValue = "true",
            description = "Show nothing but errors.")
    private boolean quiet;

    @Spec
    private CommandSpec spec;

    private final Streams streams;
    private final Interruption interruption;
    private final Map<String, String> environment;

    public PullCommand(Streams streams, Interruption interruption, Map<String, String> environment) {
        this.streams = streams;
        this.interruption = interruption;
        this.environment = environment;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        int colon = model.lastIndexOf(':'); // ORG/NAME:FORMAT
        String wanted = format != null || colon < 0 ? format : model.substring(colon + 1);
        String plain = format != null || colon < 0 ? model : model.substring(0, colon);
        HubName name = UsageErrors.checked(spec, () -> HubName.parse(plain));
        WeightFormat converted = wanted == null ? null : UsageErrors.checked(spec, () -> WeightFormat.of(wanted));
        interruption.begin();
        try {
            new PullRun(streams, environment, yes, quiet).run(name, converted, interruption::requested);
            return ExitCode.OK;
        } catch (CancellationException e) {
            return interruption.requested() ? ExitCode.INTERRUPTED : ExitCode.FAILURE;
        } finally {
            interruption.end();
        }
    }
}
