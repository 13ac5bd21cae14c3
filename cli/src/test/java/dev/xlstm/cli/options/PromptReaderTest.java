package dev.xlstm.cli.options;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class PromptReaderTest {

    private static String read(String body, String argument, boolean follows) throws IOException {
        byte[] bytes = body == null ? null : body.getBytes(StandardCharsets.UTF_8);
        return read(bytes == null ? null : new ByteArrayInputStream(bytes), argument, follows);
    }

    private static String read(InputStream body, String argument, boolean follows) throws IOException {
        StringBuilder text = new StringBuilder();
        try (PromptReader reader = new PromptReader(body, argument, "|", follows)) {
            char[] piece = new char[7];
            for (int count = reader.read(piece); count >= 0; count = reader.read(piece)) {
                assertThat(count).isPositive();
                text.append(piece, 0, count);
                assertThat(Character.isHighSurrogate(text.charAt(text.length() - 1)))
                        .isFalse();
            }
        }
        return text.toString();
    }

    @Test
    void partsAreJoinedWhereTheySaySomething() throws IOException {
        assertThat(read("body", "argument", false)).isEqualTo("body|argument");
        assertThat(read("body", null, false)).isEqualTo("body");
        assertThat(read("", "argument", false)).isEqualTo("argument");
        assertThat(read("body", "", false)).isEqualTo("body");
        assertThat(read((String) null, "argument", false)).isEqualTo("argument");
        assertThat(read("", "", false)).isEmpty();
    }

    @Test
    void whatFollowsOnAStateIsJoinedToIt() throws IOException {
        assertThat(read("body", "argument", true)).isEqualTo("|body|argument");
        assertThat(read("", "argument", true)).isEqualTo("|argument");
        assertThat(read("\n", "", true)).isEmpty();
        assertThat(read((String) null, null, true)).isEmpty();
    }

    @Test
    void oneLineFeedAtTheEndIsNotPartOfTheText() throws IOException {
        assertThat(read("a\nb\n", null, false)).isEqualTo("a\nb");
        assertThat(read("a\r\n", "x", false)).isEqualTo("a|x");
        assertThat(read("a\n\n", null, false)).isEqualTo("a\n");
        assertThat(read("a\r", null, false)).isEqualTo("a\r");
        assertThat(read("\n", "x", false)).isEqualTo("x");
    }

    @Test
    void bytesThatAreNoTextBecomeReplacementsAndTheByteOrderMarkGoes() throws IOException {
        byte[] bytes = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF, 'a', (byte) 0xFF, 'b', (byte) 0xC3};
        assertThat(read(new ByteArrayInputStream(bytes), null, false)).isEqualTo("a\uFFFDb\uFFFD");
        assertThat(read("a\uFEFFb", null, false)).isEqualTo("a\uFEFFb");
    }

    /** However the bytes arrive, the text is the same. */
    @Test
    void bytesMayArriveInAnyPieces() throws IOException {
        Random random = new Random(2);
        String alphabet = "ab\n\r é🐶";
        for (int round = 0; round < 200; round++) {
            StringBuilder text = new StringBuilder();
            random.ints(random.nextInt(30), 0, alphabet.codePointCount(0, alphabet.length()))
                    .forEach(i -> text.appendCodePoint(alphabet.codePointAt(alphabet.offsetByCodePoints(0, i))));
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            InputStream dripping = new ByteArrayInputStream(bytes) {
                @Override
                public synchronized int read(byte[] to, int offset, int length) {
                    return super.read(to, offset, Math.min(length, 1 + random.nextInt(3)));
                }

                @Override
                public synchronized int available() {
                    return 0;
                }
            };
            assertThat(read(dripping, "x", false)).isEqualTo(read(text.toString(), "x", false));
        }
    }

    /** A pipe that is still open gives what has been written to it. */
    @Test
    void textComesWhileThePipeIsOpen() throws IOException {
        try (PipedOutputStream writer = new PipedOutputStream();
                PromptReader reader = new PromptReader(new PipedInputStream(writer), null, "|", false)) {
            writer.write("first\nsec".getBytes(StandardCharsets.UTF_8));
            writer.flush();
            char[] piece = new char[100];
            assertThat(new String(piece, 0, reader.read(piece))).isEqualTo("first\nsec");
        }
    }
}
