package dev.xlstm.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The tokens a tokenizer.json lists apart from its vocabulary. They stand near the file's beginning, so special ids are
 * known without loading the tokenizer.
 *
 * @param ids by text
 * @param special ids that stand for no text
 */
record AddedTokens(Map<String, Integer> ids, Set<Integer> special) {

    private static final int MAX_TOKENS = 1_000_000;
    private static final JsonFactory FACTORY = new JsonFactory();

    static AddedTokens read(Path file) throws IOException {
        AddedTokens tokens = new AddedTokens(new HashMap<>(), new HashSet<>());
        try (JsonParser in = FACTORY.createParser(ObjectReadContext.empty(), file)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw new ModelException(file, "is not a JSON object");
            }
            while (in.nextToken() == JsonToken.PROPERTY_NAME) {
                boolean found = in.currentName().equals("added_tokens");
                JsonToken value = in.nextToken();
                if (found && value == JsonToken.START_ARRAY) {
                    while (in.nextToken() == JsonToken.START_OBJECT) {
                        tokens.add(file, in);
                    }
                    break;
                }
                in.skipChildren();
            }
        } catch (JacksonException e) {
            throw JsonObject.invalid(file, e);
        }
        return tokens;
    }

    private void add(Path file, JsonParser in) throws ModelException {
        String content = null;
        int id = -1;
        boolean isSpecial = false;
        while (in.nextToken() == JsonToken.PROPERTY_NAME) {
            String field = in.currentName();
            JsonToken value = in.nextToken();
            if (field.equals("content") && value == JsonToken.VALUE_STRING) {
                content = in.getString();
            } else if (field.equals("id") && value == JsonToken.VALUE_NUMBER_INT) {
                id = in.getIntValue();
            } else if (field.equals("special")) {
                isSpecial = value == JsonToken.VALUE_TRUE;
            } else {
                in.skipChildren();
            }
        }
        if (content == null || id < 0 || ids.size() == MAX_TOKENS) {
            throw new ModelException(file, "\"added_tokens\" holds an entry without \"content\" or \"id\"");
        }
        ids.put(content, id);
        if (isSpecial) {
            special.add(id);
        }
    }
}
