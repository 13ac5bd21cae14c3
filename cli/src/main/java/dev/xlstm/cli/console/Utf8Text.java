package dev.xlstm.cli.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The text of files that people write: grammars, schemas, settings, id lists. */
public final class Utf8Text {

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private Utf8Text() {}

    /**
     * Decodes UTF-8. A byte order mark at the beginning is left out.
     *
     * @param name of the file, for messages
     * @throws IOException if the bytes are UTF-16 or not valid UTF-8
     */
    public static String decode(String name, byte[] bytes) throws IOException {
        if (isUtf16(bytes)) {
            throw new IOException(name + ": is UTF-16 text; save it as UTF-8");
        }
        try {
            return withoutByteOrderMark(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException e) {
            throw new IOException(name + ": is not UTF-8 text; save it as UTF-8", e);
        }
    }

    /** The text after a byte order mark at its beginning, if there is one. */
    public static String withoutByteOrderMark(String text) {
        return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
    }

    /** Whether bytes begin with the mark of UTF-16, or with an ASCII character and the zero that UTF-16 has beside it. */
    static boolean isUtf16(byte[] bytes) {
        if (bytes.length < 2) {
            return false;
        }
        int first = bytes[0] & 0xFF;
        int second = bytes[1] & 0xFF;
        return first == 0xFF && second == 0xFE || first == 0xFE && second == 0xFF || (first == 0) != (second == 0);
    }
}
