package dev.xlstm.cli.batch;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class BoundedLineReaderTest {

    private static List<String> lines(Reader in, int limit) throws IOException {
        List<String> lines = new ArrayList<>();
        try (BoundedLineReader reader = new BoundedLineReader(in, limit)) {
            for (String line = reader.next(); line != null; line = reader.next()) {
                lines.add(line);
            }
        }
        return lines;
    }

    @Test
    void linesOfEitherKindAndTheLastWithoutAnEnd() throws IOException {
        assertThat(lines(new StringReader("a\r\n\n b\r c\n\r\nd"), 9)).containsExactly("a", "", " b\r c", "", "d");
        assertThat(lines(new StringReader(""), 9)).isEmpty();
        String piece = "x".repeat(8191); // line ends at the ends of what is read at once
        assertThat(lines(new StringReader(piece + "\n" + piece + "\r\n" + piece), 9000))
                .containsExactly(piece, piece, piece);
    }

    @Test
    void whatIsTooLongIsPassedOver() throws IOException {
        String most = "x".repeat(20_000);
        assertThat(lines(new StringReader(most + "\nb\n" + most + "y\nc"), 20_000))
                .containsExactly(most, "b", BoundedLineReader.TOO_LONG, "c");
        assertThat(lines(new StringReader(most + "y"), 20_000)).containsExactly(BoundedLineReader.TOO_LONG);
    }

    @Test
    void aByteOrderMarkAtTheBeginningIsSkipped() throws IOException {
        assertThat(lines(new StringReader("\uFEFFa\n\uFEFFb"), 9)).containsExactly("a", "\uFEFFb");
        assertThat(lines(new StringReader("\uFEFF"), 9)).isEmpty();
    }
}
