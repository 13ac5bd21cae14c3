package dev.xlstm.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What tokenizer_config.json adds to a tokenizer.json.
 *
 * @param bosToken text of the token that begins a sequence
 * @param eosToken text of the token that ends one
 * @param addBosToken whether texts are to begin with the former
 * @param chatTemplate the Jinja template of a chat's turns
 */
public record TokenizerConfig(
        Optional<String> bosToken, Optional<String> eosToken, boolean addBosToken, Optional<String> chatTemplate) {

    private static final int MAX_TEMPLATE_BYTES = 1 << 20;

    static TokenizerConfig read(Path directory) throws IOException {
        JsonObject json = JsonObject.readIfThere(directory.resolve("tokenizer_config.json"));
        return new TokenizerConfig(
                token(json, "bos_token"),
                token(json, "eos_token"),
                json.flag("add_bos_token", false),
                chatTemplate(directory.resolve("chat_template.jinja"), json));
    }

    /** A string, or an object with the string as its "content". */
    private static Optional<String> token(JsonObject json, String field) throws ModelException {
        JsonNode value = json.node().path(field);
        return value.isObject() ? new JsonObject(json.file(), value).string("content") : json.string(field);
    }

    /** A file of its own; else a string in the JSON; else the one called "default" of several. */
    private static Optional<String> chatTemplate(Path file, JsonObject json) throws IOException {
        if (Files.isRegularFile(file)) {
            if (Files.size(file) > MAX_TEMPLATE_BYTES) {
                throw new ModelException(file, "is larger than " + MAX_TEMPLATE_BYTES + " bytes");
            }
            return Optional.of(Files.readString(file));
        }
        JsonNode value = json.node().path("chat_template");
        if (!value.isArray()) {
            return json.string("chat_template");
        }
        for (JsonNode named : value) {
            if (named.path("name").asString("").equals("default")) {
                return new JsonObject(json.file(), named).string("template");
            }
        }
        return Optional.empty();
    }
}
