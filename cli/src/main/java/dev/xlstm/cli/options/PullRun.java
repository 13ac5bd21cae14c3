package dev.xlstm.cli.options;

import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.hub.Hub;
import dev.xlstm.hub.HubName;
import dev.xlstm.model.ConvertedModels;
import dev.xlstm.model.ModelPull;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/** A pull from the command line: says what it will fetch, asks above a gigabyte, shows its progress. */
public final class PullRun {

    private static final long LARGE = 1_000_000_000; // bytes that are not fetched without a question

    private final Streams streams;
    private final Map<String, String> environment;
    private final boolean yes;
    private final boolean quiet;

    /** @param yes not to ask */
    public PullRun(Streams streams, Map<String, String> environment, boolean yes, boolean quiet) {
        this.streams = streams;
        this.environment = environment;
        this.yes = yes;
        this.quiet = quiet;
    }

    /**
     * Fetches a model.
     *
     * @param format to convert it to; null to leave it as it is
     * @throws CancellationException if {@code cancelled} says so, or the answer is no
     */
    public void run(HubName name, WeightFormat format, BooleanSupplier cancelled)
            throws IOException, InterruptedException {
        try (Hub hub = new Hub(environment);
                PullProgress progress = new PullProgress(streams, cancelled, quiet, this::accept)) {
            progress.done(ModelPull.pull(hub, name, ConvertedModels.of(environment), format, progress));
        }
    }

    private boolean accept(ModelPull.Plan plan) {
        if (!quiet && plan.fetchBytes() > 0) {
            String present =
                    plan.presentBytes() == 0 ? "" : ", " + ByteSize.text(plan.presentBytes()) + " here already";
            String stored =
                    plan.storeBytes() == plan.totalBytes() ? "" : ", " + ByteSize.text(plan.storeBytes()) + " on disk";
            streams.message(plan.id() + ": " + plan.files() + (plan.files() == 1 ? " file" : " files") + " of weights, "
                    + ByteSize.text(plan.totalBytes()) + present + stored + "; needs "
                    + ByteSize.text(plan.weightBytes()) + " of memory to run");
        }
        return yes
                || plan.fetchBytes() <= LARGE
                || !isTerminal(streams)
                || ask(streams, "Fetch " + ByteSize.text(plan.fetchBytes()) + "?");
    }

    /** Whether somebody can be asked. */
    static boolean isTerminal(Streams streams) {
        return streams.inIsTerminal() && streams.errIsTerminal();
    }

    /** Asks a question whose answer is no unless it is yes. */
    static boolean ask(Streams streams, String question) {
        streams.err().print(question + " [y/N] ");
        streams.err().flush();
        StringBuilder line = new StringBuilder();
        try {
            for (int c = streams.in().read();
                    c >= 0 && c != '\n';
                    c = streams.in().read()) {
                line.append((char) c);
            }
        } catch (IOException e) {
            return false;
        }
        return line.toString().strip().matches("(?i)y|yes");
    }
}
