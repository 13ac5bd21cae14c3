package dev.xlstm.cli.model;

import dev.xlstm.backend.Backend;
import dev.xlstm.backend.Backends;
import dev.xlstm.backend.Device;
import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Streams;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code xlstm devices}. */
@Command(
        name = "devices",
        description =
                "Lists the devices that can run models. A star marks the choice of --backend auto for a model that fits it.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {"  xlstm devices"})
public final class DevicesCommand implements Callable<Integer> {

    private final Streams streams;

    public DevicesCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        StringBuilder table = new StringBuilder();
        boolean chosen = false;
        List<Backend> backends = Backends.all();
        for (Backend backend : backends) {
            Optional<String> obstacle = backend.obstacle();
            if (obstacle.isPresent()) {
                row(table, ' ', backend.name(), "none: " + obstacle.get());
                continue;
            }
            for (Device device : backend.devices()) {
                boolean first = device.equals(backend.devices().getFirst());
                boolean star = !chosen && first && device.preferred();
                chosen |= star;
                row(table, star ? '*' : ' ', backend.name(), describe(device));
            }
        }
        if (backends.stream().noneMatch(b -> b.name().equals("gpu"))) {
            row(table, ' ', "gpu", "none: " + Backends.NO_GPU);
        }
        streams.printUntrusted(table.toString());
        return ExitCode.OK;
    }

    private static String describe(Device device) {
        String memory = ByteSize.text(device.memoryBytes());
        if (device.largestBufferBytes() < device.memoryBytes()) {
            memory += ", at most " + ByteSize.text(device.largestBufferBytes()) + " per buffer";
        }
        return device.name() + ", " + memory;
    }

    private static void row(StringBuilder table, char mark, String backend, String text) {
        table.append(String.format(Locale.ROOT, "%c %-4s %s%n", mark, backend, text));
    }
}
