package dev.xlstm.cli.model;

import dev.xlstm.cli.console.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;

/** The results of a benchmark, and the ways to show them. Rates are in 10^9 a second. */
final class BenchReport {

    private record Row(String test, double tokensPerSecond, double gigabytes, double gigaflops) {}

    private final String model;
    private final String format;
    private final int threads;
    private final String device;
    private final double loadSeconds;
    private final double firstTokenSeconds;
    private final long weightBytes; // a token
    private final long stateBytes; // a token
    private final long heapBytes;
    private final long residentBytes; // -1 if unknown
    private final double streamGigabytes;
    private final double peakGigaflops;
    private final List<Row> rows = new ArrayList<>();

    BenchReport(
            String model,
            String format,
            int threads,
            String device,
            double loadSeconds,
            double firstTokenSeconds,
            long weightBytes,
            long stateBytes,
            long heapBytes,
            long residentBytes,
            double streamGigabytes,
            double peakGigaflops) {
        this.model = model;
        this.format = format;
        this.threads = threads;
        this.device = device;
        this.loadSeconds = loadSeconds;
        this.firstTokenSeconds = firstTokenSeconds;
        this.weightBytes = weightBytes;
        this.stateBytes = stateBytes;
        this.heapBytes = heapBytes;
        this.residentBytes = residentBytes;
        this.streamGigabytes = streamGigabytes;
        this.peakGigaflops = peakGigaflops;
    }

    void add(String test, double tokensPerSecond, double bytesPerToken, double flopsPerToken) {
        rows.add(new Row(
                test, tokensPerSecond, tokensPerSecond * bytesPerToken / 1e9, tokensPerSecond * flopsPerToken / 1e9));
    }

    void writeJson(JsonGenerator json) {
        json.writeStringProperty("model", model);
        json.writeStringProperty("device", device);
        json.writeNumberProperty("load_seconds", loadSeconds);
        json.writeNumberProperty("first_token_seconds", firstTokenSeconds);
        json.writeNumberProperty("weight_bytes_per_token", weightBytes);
        json.writeNumberProperty("state_bytes_per_token", stateBytes);
        json.writeNumberProperty("heap_bytes", heapBytes);
        if (residentBytes >= 0) {
            json.writeNumberProperty("rss_bytes", residentBytes);
        }
        json.writeArrayPropertyStart("tests");
        for (Row row : rows) {
            json.writeStartObject();
            json.writeStringProperty("test", row.test);
            json.writeStringProperty("format", format);
            json.writeNumberProperty("threads", threads);
            json.writeNumberProperty("tokens_per_second", row.tokensPerSecond);
            json.writeNumberProperty("gb_per_second", row.gigabytes);
            json.writeNumberProperty("stream_gb_per_second", streamGigabytes);
            json.writeNumberProperty("bandwidth_share", row.gigabytes / streamGigabytes);
            json.writeNumberProperty("gflops", row.gigaflops);
            json.writeNumberProperty("peak_gflops", peakGigaflops);
            json.writeNumberProperty("flops_share", row.gigaflops / peakGigaflops);
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
                    "%s,%s,%d,%.3f,%.3f,%.3f,%.4f,%.3f,%.3f,%.4f%n",
                    row.test,
                    format,
                    threads,
                    row.tokensPerSecond,
                    row.gigabytes,
                    streamGigabytes,
                    row.gigabytes / streamGigabytes,
                    row.gigaflops,
                    peakGigaflops,
                    row.gigaflops / peakGigaflops));
        }
        return csv.toString();
    }

    String markdown() {
        StringBuilder text = new StringBuilder();
        text.append("| model | format | threads | test | tokens/s | GB/s | of bandwidth | GFLOP/s | of peak |\n");
        text.append("|---|---|---:|---|---:|---:|---:|---:|---:|\n");
        for (Row row : rows) {
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %d | %s | %.2f | %.2f | %.0f %% | %.1f | %.0f %% |%n",
                    model.replace("|", "\\|"),
                    format,
                    threads,
                    row.test,
                    row.tokensPerSecond,
                    row.gigabytes,
                    100 * row.gigabytes / streamGigabytes,
                    row.gigaflops,
                    100 * row.gigaflops / peakGigaflops));
        }
        text.append(String.format(
                Locale.ROOT,
                "%nOn %s: memory read at %.1f GB/s, arithmetic at %.0f GFLOP/s. A token reads %s of weights and moves %s of"
                        + " state.%nLoaded in %.2f s, first token %.2f s later; heap %s%s.%n",
                device,
                streamGigabytes,
                peakGigaflops,
                ByteSize.text(weightBytes),
                ByteSize.text(stateBytes),
                loadSeconds,
                firstTokenSeconds,
                ByteSize.text(heapBytes),
                residentBytes < 0 ? "" : ", memory of the process " + ByteSize.text(residentBytes)));
        return text.toString();
    }
}
