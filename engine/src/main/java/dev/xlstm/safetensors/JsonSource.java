package dev.xlstm.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.util.ByteBufferBackedInputStream;

/** A strict pull parser over one JSON object; messages name the file. */
final class JsonSource implements AutoCloseable {

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES) // untrusted names, each read once
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxDocumentLength(SafetensorsLimits.JSON_BYTES)
                    .maxNameLength(SafetensorsLimits.NAME_LENGTH)
                    .maxStringLength(SafetensorsLimits.METADATA_LENGTH)
                    .maxNumberLength(SafetensorsLimits.NUMBER_LENGTH)
                    .maxNestingDepth(SafetensorsLimits.NESTING)
                    .build())
            .build();

    private final Path file;
    private final String what;
    private final JsonParser parser;

    private JsonSource(Path file, String what, InputStream in) {
        this.file = file;
        this.what = what;
        // a reader of our own: the format is UTF-8, so Jackson must not guess the encoding or replace malformed bytes
        this.parser = FACTORY.createParser(
                ObjectReadContext.empty(), new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
    }

    /** @param what the name of the JSON in messages */
    static JsonSource of(Path file, String what, ByteBuffer utf8) {
        return new JsonSource(file, what, new ByteBufferBackedInputStream(utf8));
    }

    /** Opens a whole file; a byte order mark at its beginning is left out. */
    static JsonSource open(Path file, String what) throws IOException {
        if (regularFileSize(file) > SafetensorsLimits.JSON_BYTES) {
            throw new SafetensorsException(file, what + " is larger than " + SafetensorsLimits.JSON_BYTES + " bytes");
        }
        return new JsonSource(file, what, withoutByteOrderMark(file));
    }

    private static InputStream withoutByteOrderMark(Path file) throws IOException {
        PushbackInputStream in = new PushbackInputStream(Files.newInputStream(file), 3);
        byte[] start = in.readNBytes(3);
        if (!Arrays.equals(start, new byte[] {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF})) {
            in.unread(start);
        }
        return in;
    }

    /** The size of a regular file. Follows links; refuses pipes and devices. */
    static long regularFileSize(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new SafetensorsException(file, "no such file");
        }
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            throw new SafetensorsException(
                    file, attributes.isDirectory() ? "is a directory, not a file" : "is not a regular file");
        }
        if (!Files.isReadable(file)) {
            throw new SafetensorsException(file, "may not be read; check its permissions");
        }
        return attributes.size();
    }

    SafetensorsException problem(String text) {
        return new SafetensorsException(file, text);
    }

    private SafetensorsException invalid(JacksonException e) {
        boolean encoding = e.getCause() instanceof CharacterCodingException;
        String reason = e.getOriginalMessage().replaceFirst(" \\(start marker .*", ""); // an unknown position
        return problem(what + " is not valid " + (encoding ? "UTF-8" : "JSON: " + reason));
    }

    JsonToken next() throws SafetensorsException {
        try {
            return parser.nextToken();
        } catch (JacksonException e) {
            throw invalid(e);
        }
    }

    /** Enters an object. */
    void beginObject(String name) throws SafetensorsException {
        if (next() != JsonToken.START_OBJECT) {
            throw problem(name + " is not a JSON object");
        }
    }

    /** The next key of an object, or null at its end. */
    String nextKey() throws SafetensorsException {
        return next() == JsonToken.END_OBJECT ? null : parser.currentName();
    }

    String string(String name) throws SafetensorsException {
        if (next() != JsonToken.VALUE_STRING) {
            throw problem(name + " is not a string");
        }
        try {
            return parser.getString();
        } catch (JacksonException e) {
            throw invalid(e);
        }
    }

    /** An array of at most {@code limit} whole numbers, none negative. */
    long[] naturals(String name, int limit) throws SafetensorsException {
        if (next() != JsonToken.START_ARRAY) {
            throw problem(name + " is not an array");
        }
        long[] values = new long[limit];
        int count = 0;
        while (next() != JsonToken.END_ARRAY) {
            if (count == limit) {
                throw problem(name + " has more than " + limit + " numbers");
            }
            values[count++] = natural(name);
        }
        return Arrays.copyOf(values, count);
    }

    private long natural(String name) throws SafetensorsException {
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw problem(name + " must hold whole numbers only");
        }
        long value;
        try {
            value = parser.getLongValue();
        } catch (JacksonException e) {
            throw problem(name + " holds a number beyond 63 bits");
        }
        if (value < 0) {
            throw problem(name + " holds a negative number");
        }
        return value;
    }

    /** Skips a value. */
    void skipValue() throws SafetensorsException {
        next();
        try {
            parser.skipChildren();
        } catch (JacksonException e) {
            throw invalid(e);
        }
    }

    /** Checks that only white space follows. */
    void end() throws SafetensorsException {
        if (next() != null) {
            throw problem(what + " has more text after its closing brace");
        }
    }

    @Override
    public void close() {
        parser.close();
    }
}
