package dev.xlstm.cli.model;

import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.generation.LineScorer.Line;
import dev.xlstm.generation.LineScorer.Listener;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;

/** Prints scored lines as they come, as columns or JSON, and at the end the most surprising ones. */
final class LineScoreOutput implements Listener {

    private static final int EXCERPT_CHARS = 60;
    private static final Comparator<Line> BY_SURPRISE = Comparator.comparingDouble(Line::bitsPerToken)
            .thenComparing(Comparator.comparingLong(Line::number).reversed());

    private final Streams streams;
    private final boolean json;
    private final int top;
    private final PriorityQueue<Line> most = new PriorityQueue<>(BY_SURPRISE); // the least surprising of them first

    /**
     * @param top how many of the most surprising lines to list at the end
     */
    LineScoreOutput(Streams streams, boolean json, int top) {
        this.streams = streams;
        this.json = json;
        this.top = top;
        if (!json) {
            streams.print("line\ttokens\tbits\tbits_per_token\tbits_per_char\n");
        }
    }

    @Override
    public void line(Line line) {
        print(line, false);
        if (top > 0 && line.tokens() > 0) {
            most.add(line);
            if (most.size() > top) {
                most.remove();
            }
        }
    }

    /** Lists the most surprising lines, in bits a token; the most surprising one first. */
    void end() {
        List<Line> ranked = new ArrayList<>(most);
        ranked.sort(BY_SURPRISE.reversed());
        if (!ranked.isEmpty() && !json) {
            streams.print("# the most surprising lines, by bits per token\n");
        }
        ranked.forEach(line -> print(line, true));
    }

    private void print(Line line, boolean ranked) {
        if (json) {
            JsonOutput.print(streams, out -> {
                if (ranked) {
                    out.writeBooleanProperty("top", true);
                }
                out.writeNumberProperty("line", line.number());
                out.writeNumberProperty("tokens", line.tokens());
                out.writeNumberProperty("bits", line.bits());
                out.writeName("bits_per_token");
                JsonOutput.number(out, line.bitsPerToken());
                out.writeName("bits_per_char");
                JsonOutput.number(out, line.bitsPerCharacter());
                if (ranked) {
                    out.writeStringProperty("text", line.excerpt());
                }
            });
            return;
        }
        String text = line.number() + "\t" + line.tokens() + "\t" + number(line.bits()) + "\t"
                + number(line.bitsPerToken()) + "\t" + number(line.bitsPerCharacter());
        streams.printUntrusted(ranked ? text + "\t" + shown(line.excerpt()) + "\n" : text + "\n");
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.4f", value);
    }

    private static String shown(String excerpt) {
        String line = excerpt.replaceAll("\\s+", " ").strip();
        return line.length() <= EXCERPT_CHARS ? line : line.substring(0, EXCERPT_CHARS - 1) + "…";
    }
}
