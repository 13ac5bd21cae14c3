package dev.xlstm.model;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The settings of tokenizer_config.json.
 *
 * @param bosToken text of the token that begins a sequence
 * @param eosToken text of the token that ends a sequence
 * @param addBosToken whether a text begins with bosToken; empty if the file does not say
 * @param namedTokens the texts of all tokens that the file names (bos_token, eos_token, pad_token, ...), which templates
 *     may use
 * @param chatTemplate the Jinja template of a chat
 */
public record TokenizerConfig(
        Optional<String> bosToken,
        Optional<String> eosToken,
        Optional<Boolean> addBosToken,
        Map<String, String> namedTokens,
        Optional<String> chatTemplate) {

    private static final List<String> TOKEN_NAMES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    static TokenizerConfig read(Path directory) throws IOException {
        JsonObject json = JsonObject.readIfThere(directory.resolve("tokenizer_config.json"));
        return new TokenizerConfig(
                token(json, "bos_token"),
                token(json, "eos_token"),
                json.value("add_bos_token") == null ? Optional.empty() : Optional.of(json.flag("add_bos_token", false)),
                namedTokens(json),
                chatTemplate(directory.resolve("chat_template.jinja"), json));
    }

    private static Map<String, String> namedTokens(JsonObject json) throws ModelException {
        Map<String, String> tokens = new HashMap<>();
        for (String name : TOKEN_NAMES) {
            Optional<String> token = token(json, name);
            token.ifPresent(text -> tokens.put(name, text));
        }
        return Map.copyOf(tokens);
    }

    /** A string, or an object with the string as its "content". */
    private static Optional<String> token(JsonObject json, String field) throws ModelException {
        return json.value(field) instanceof Map<?, ?> token
                ? member(json, field, token, "content")
                : json.string(field);
    }

    private static Optional<String> member(JsonObject json, String field, Map<?, ?> object, String name)
            throws ModelException {
        if (object.get(name) instanceof String text) {
            return Optional.of(text);
        }
        throw json.problem(field, "has no string \"" + name + "\"");
    }

    /** From chat_template.jinja; else a string in the JSON; else the template named "default" in a list. */
    private static Optional<String> chatTemplate(Path file, JsonObject json) throws IOException {
        if (Files.isRegularFile(file)) {
            if (Files.size(file) > ModelLimits.TEMPLATE_BYTES) {
                throw new ModelException(file, "is larger than " + ModelLimits.TEMPLATE_BYTES + " bytes");
            }
            try {
                return Optional.of(Files.readString(file).replaceFirst("^\uFEFF", "")); // a byte order mark
            } catch (CharacterCodingException e) {
                throw new ModelException(file, "is not UTF-8 text");
            }
        }
        if (!(json.value("chat_template") instanceof List<?> templates)) {
            return json.string("chat_template");
        }
        for (Object element : templates) {
            if (element instanceof Map<?, ?> template && "default".equals(template.get("name"))) {
                return member(json, "chat_template", template, "template");
            }
        }
        return Optional.empty();
    }
}
