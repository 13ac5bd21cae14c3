package dev.xlstm.generation;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class LineScorerTest {

    private static final String TEXT =
            "Once upon a time, there was a cat.\n\nThe cat – café! – slept.\nIt zxqv 42 jumped";

    private static TextModel model;

    @BeforeAll
    static void open() throws IOException {
        model = TextModel.open(Path.of("../test-data/demo-model"));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static List<LineScorer.Line> score(Reader text) throws IOException {
        List<LineScorer.Line> lines = new ArrayList<>();
        try (TextSession session = model.newSession()) {
            LineScorer.score(session, text, lines::add);
        }
        return lines;
    }

    /** Bits of a whole text; the first id, put before it, has no probability. */
    private static double bits(int[] ids) {
        double[] sum = {0};
        try (TextSession session = model.newSession()) {
            session.session().score(ids, (index, p) -> sum[0] -= Double.isNaN(p) ? 0 : p / Math.log(2));
        }
        return sum[0];
    }

    @Test
    void theLinesAddUpToTheText() throws Exception {
        List<LineScorer.Line> lines = score(new StringReader(TEXT));
        assertThat(lines).hasSize(4);
        assertThat(lines).extracting(LineScorer.Line::number).containsExactly(1L, 2L, 3L, 4L);
        int[] ids = model.encodePrompt(TEXT);
        assertThat(lines.stream().mapToDouble(LineScorer.Line::bits).sum()).isCloseTo(bits(ids), within(1e-6));
        assertThat(lines.stream().mapToLong(LineScorer.Line::tokens).sum()).isEqualTo(ids.length - 1);
        assertThat(lines.stream().mapToLong(LineScorer.Line::characters).sum())
                .isEqualTo(TEXT.codePointCount(0, TEXT.length()));
        assertThat(lines.get(2).excerpt()).isEqualTo("The cat – café! – slept.");
        assertThat(lines.get(3).bitsPerToken()).isGreaterThan(lines.get(0).bitsPerToken());
    }

    @Test
    void piecesChangeNothing() throws Exception {
        Reader dribble = new StringReader(TEXT) {
            @Override
            public int read(char[] chars, int offset, int length) throws IOException {
                return super.read(chars, offset, Math.min(length, 3));
            }
        };
        List<LineScorer.Line> pieces = score(dribble);
        List<LineScorer.Line> whole = score(new StringReader(TEXT));
        assertThat(pieces).hasSameSizeAs(whole);
        for (int i = 0; i < whole.size(); i++) {
            assertThat(pieces.get(i).bits()).isCloseTo(whole.get(i).bits(), within(1e-4));
            assertThat(pieces.get(i).tokens()).isEqualTo(whole.get(i).tokens());
        }
    }

    @Test
    void eachLineByItselfIsATextOfItsOwn() throws Exception {
        List<LineScorer.Line> lines = new ArrayList<>();
        try (TextSession session = model.newSession()) {
            LineScorer.scoreEach(session, new StringReader("The cat sat.\n\nThe cat sat.\n"), lines::add);
        }
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0).bits()).isCloseTo(bits(model.encodePrompt("The cat sat.")), within(1e-6));
        assertThat(lines.get(2).bits()).isEqualTo(lines.get(0).bits());
        assertThat(lines.get(1).tokens()).isZero();
        assertThat(lines.get(1).bitsPerToken()).isNaN();
        assertThat(lines.get(0).characters()).isEqualTo(12);
    }

    @Test
    void aFinalLineFeedBeginsNoLine() throws Exception {
        assertThat(score(new StringReader("a\nb\n"))).hasSize(2);
        assertThat(score(new StringReader(""))).isEmpty();
    }

    @Test
    void oneWindowOverTheWholeTextIsItsPerplexity() {
        int[] ids = model.encodePrompt(TEXT);
        WindowedPerplexity one = new WindowedPerplexity(model, 1000, 500);
        one.accept(ids);
        assertThat(one.finish()).isCloseTo(Math.pow(2, bits(ids) / (ids.length - 1)), within(1e-6));
        assertThat(one.tokens()).isEqualTo(ids.length - 1);
    }

    @Test
    void everyTokenButTheFirstCountsOnce() {
        int[] ids = model.encodePrompt(TEXT + TEXT);
        for (int stride : new int[] {3, 7, 8}) {
            WindowedPerplexity windows = new WindowedPerplexity(model, 8, stride);
            windows.accept(ids);
            assertThat(windows.finish()).isGreaterThan(1);
            // windows that do not overlap leave out the first token of each
            long windowStarts = stride < 8 ? 1 : (ids.length + 7) / 8;
            assertThat(windows.tokens()).as("stride " + stride).isEqualTo(ids.length - windowStarts);
        }
        assertThatThrownBy(() -> new WindowedPerplexity(model, 4, 5)).hasMessageContaining("between 1 and its length");
    }
}
