package dev.xlstm.cli.console;

import java.io.StringWriter;
import java.util.OptionalInt;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Prints JSON on one line of stdout. */
public final class JsonOutput {

    /** Writes the fields of the object. */
    public interface Fields {
        void write(JsonGenerator json);
    }

    private JsonOutput() {}

    public static void print(Streams streams, Fields fields) {
        streams.printUntrusted(object(fields) + "\n");
    }

    /** An object on one line, without a line feed. */
    public static String object(Fields fields) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
            json.writeStartObject();
            fields.write(json);
            json.writeEndObject();
        }
        return text.toString();
    }

    /** Writes the fields of one of several objects. */
    public interface ElementFields {
        void write(JsonGenerator json, int index);
    }

    /** Prints an array of objects on one line. */
    public static void printArray(Streams streams, int count, ElementFields fields) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
            json.writeStartArray();
            for (int i = 0; i < count; i++) {
                json.writeStartObject();
                fields.write(json, i);
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        streams.printUntrusted(text + "\n");
    }

    public static void ids(JsonGenerator json, String name, int[] ids) {
        json.writeName(name);
        json.writeArray(ids, 0, ids.length);
    }

    /** Writes null if {@code text} is null. */
    public static void text(JsonGenerator json, String name, String text) {
        json.writeName(name);
        json.writeString(text);
    }

    /** Writes null for NaN, which JSON does not have. */
    public static void number(JsonGenerator json, double value) {
        if (Double.isNaN(value)) {
            json.writeNull();
        } else {
            json.writeNumber(value);
        }
    }

    /** Writes null if the value is empty. */
    public static void integer(JsonGenerator json, String name, OptionalInt value) {
        if (value.isPresent()) {
            json.writeNumberProperty(name, value.getAsInt());
        } else {
            json.writeNullProperty(name);
        }
    }
}
