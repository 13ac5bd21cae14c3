package dev.xlstm.cli.model;

import dev.xlstm.cli.console.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;

/** The results of a benchmark as a table, CSV or JSON. Rates are in 10^9 per second. */
final class BenchReport {

    private record Row(String test, double tokensPerSecond, double gigabytes, double gigaflops) {}

    /**
     * Bytes that generating a token moves, and memory in use.
     *
     * @param weights read per token
     * @param state read and written per token
     * @param heap in use
     * @param resident of the process; -1 if unknown
     */
    record Bytes(long weights, long state, long heap, long resident) {}

    /** Seconds until the model was loaded, and from then until the first token. */
    record StartUp(double loadSeconds, double firstTokenSeconds) {}

    /** What the machine reached in the same run: read bandwidth in GB/s before and after the tests, and GFLOP/s. */
    record MachineSpeed(double gigabytesBefore, double gigabytesAfter, double gigaflops) {

        double gigabytes() {
            return Math.max(gigabytesBefore, gigabytesAfter);
        }

        /** Whether the two differ by at most a tenth. */
        boolean steady() {
            return Math.min(gigabytesBefore, gigabytesAfter) >= 0.9 * gigabytes();
        }
    }

    private final String model;
    private final String format;
    private final int threads;
    private final String device;
    private final StartUp startUp;
    private final Bytes bytes;
    private final MachineSpeed machine;
    private final List<Row> rows = new ArrayList<>();

    BenchReport(
            String model,
            String format,
            int threads,
            String device,
            StartUp startUp,
            Bytes bytes,
            MachineSpeed machine) {
        this.model = model;
        this.format = format;
        this.threads = threads;
        this.device = device;
        this.startUp = startUp;
        this.bytes = bytes;
        this.machine = machine;
    }

    /** A model that stays in the cache is read faster than memory, and its rate is no share of memory's. */
    private boolean isBandwidthShare(Row row) {
        return row.gigabytes <= machine.gigabytes();
    }

    void add(String test, double tokensPerSecond, double bytesPerToken, double flopsPerToken) {
        rows.add(new Row(
                test, tokensPerSecond, tokensPerSecond * bytesPerToken / 1e9, tokensPerSecond * flopsPerToken / 1e9));
    }

    void writeJson(JsonGenerator json) {
        json.writeStringProperty("model", model);
        json.writeStringProperty("device", device);
        json.writeNumberProperty("load_seconds", startUp.loadSeconds);
        json.writeNumberProperty("first_token_seconds", startUp.firstTokenSeconds);
        json.writeNumberProperty("weight_bytes_per_token", bytes.weights);
        json.writeNumberProperty("state_bytes_per_token", bytes.state);
        json.writeNumberProperty("heap_bytes", bytes.heap);
        if (bytes.resident >= 0) {
            json.writeNumberProperty("rss_bytes", bytes.resident);
        }
        json.writeArrayPropertyStart("tests");
        for (Row row : rows) {
            json.writeStartObject();
            json.writeStringProperty("test", row.test);
            json.writeStringProperty("format", format);
            json.writeNumberProperty("threads", threads);
            json.writeNumberProperty("tokens_per_second", row.tokensPerSecond);
            json.writeNumberProperty("gb_per_second", row.gigabytes);
            json.writeNumberProperty("stream_gb_per_second", machine.gigabytes());
            if (isBandwidthShare(row)) {
                json.writeNumberProperty("bandwidth_share", row.gigabytes / machine.gigabytes());
            }
            json.writeNumberProperty("gflops", row.gigaflops);
            json.writeNumberProperty("peak_gflops", machine.gigaflops);
            json.writeNumberProperty("flops_share", row.gigaflops / machine.gigaflops);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    String csv() {
        StringBuilder csv = new StringBuilder("model,test,format,threads,tokens_per_second,gb_per_second,"
                + "stream_gb_per_second,bandwidth_share,gflops,peak_gflops,flops_share\n");
        for (Row row : rows) {
            csv.append('"').append(model.replace("\"", "\"\"")).append("\",");
            csv.append(String.format(
                    Locale.ROOT,
                    "%s,%s,%d,%.3f,%.3f,%.3f,%s,%.3f,%.3f,%.4f%n",
                    row.test,
                    format,
                    threads,
                    row.tokensPerSecond,
                    row.gigabytes,
                    machine.gigabytes(),
                    isBandwidthShare(row)
                            ? String.format(Locale.ROOT, "%.4f", row.gigabytes / machine.gigabytes())
                            : "",
                    row.gigaflops,
                    machine.gigaflops,
                    row.gigaflops / machine.gigaflops));
        }
        return csv.toString();
    }

    String markdown() {
        StringBuilder text = new StringBuilder();
        List<List<String>> cells = cells();
        for (int r = 0; r < cells.size(); r++) {
            List<String> escaped =
                    cells.get(r).stream().map(cell -> cell.replace("|", "\\|")).toList();
            text.append("| ").append(String.join(" | ", escaped)).append(" |\n");
            if (r == 0) {
                text.append("|---|---|---:|---|---:|---:|---:|---:|---:|\n");
            }
        }
        return text.append('\n').append(summary()).toString();
    }

    /** The same with aligned columns. */
    String table() {
        List<List<String>> cells = cells();
        StringBuilder text = new StringBuilder();
        for (List<String> row : cells) {
            StringBuilder line = new StringBuilder();
            for (int c = 0; c < row.size(); c++) {
                int column = c;
                int width = cells.stream()
                        .mapToInt(other -> other.get(column).length())
                        .max()
                        .orElseThrow();
                String padding = " ".repeat(width - row.get(c).length());
                boolean left = c < 2 || c == 3; // names
                line.append(left ? row.get(c) + padding : padding + row.get(c)).append("  ");
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.append('\n').append(summary()).toString();
    }

    private List<List<String>> cells() {
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of(
                "model", "format", "threads", "test", "tokens/s", "GB/s", "of bandwidth", "GFLOP/s", "of peak"));
        for (Row row : rows) {
            cells.add(List.of(
                    model,
                    format,
                    Integer.toString(threads),
                    row.test,
                    String.format(Locale.ROOT, "%.2f", row.tokensPerSecond),
                    String.format(Locale.ROOT, "%.2f", row.gigabytes),
                    isBandwidthShare(row)
                            ? String.format(Locale.ROOT, "%.0f %%", 100 * row.gigabytes / machine.gigabytes())
                            : "-",
                    String.format(Locale.ROOT, "%.1f", row.gigaflops),
                    String.format(Locale.ROOT, "%.0f %%", 100 * row.gigaflops / machine.gigaflops)));
        }
        return cells;
    }

    private String summary() {
        String bandwidth = machine.steady()
                ? String.format(Locale.ROOT, "%.1f GB/s", machine.gigabytes())
                : String.format(
                        Locale.ROOT,
                        "%.1f GB/s before the tests and %.1f GB/s after them (is the machine busy?)",
                        machine.gigabytesBefore,
                        machine.gigabytesAfter);
        return String.format(
                Locale.ROOT,
                "On %s: memory read at %s, arithmetic at %.0f GFLOP/s. A token reads %s of weights and moves %s of"
                        + " state.%nLoaded in %.2f s, first token %.2f s later; heap %s%s.%n",
                device,
                bandwidth,
                machine.gigaflops,
                ByteSize.text(bytes.weights),
                ByteSize.text(bytes.state),
                startUp.loadSeconds,
                startUp.firstTokenSeconds,
                ByteSize.text(bytes.heap),
                bytes.resident < 0 ? "" : ", memory of the process " + ByteSize.text(bytes.resident));
    }
}
