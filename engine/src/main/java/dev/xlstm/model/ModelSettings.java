package dev.xlstm.model;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * The settings of a model in its config file. Exporters wrap them in an object of the file ({@code _xlstm_config},
 * {@code xlstm_cfg}, {@code model}, ...), so they are found by the fields that only an xLSTM has, not by the wrapper's
 * name.
 *
 * @param root the whole file
 * @param fields the object with the settings: the file itself, or an object in it
 */
record ModelSettings(JsonObject root, JsonObject fields, Architecture architecture) {

    enum Architecture {
        /** xLSTM large, transformers' {@code xLSTMConfig}. */
        LARGE,
        /** A stack of mLSTM and sLSTM blocks, NX-AI's {@code xLSTMLMModelConfig}. */
        BLOCK_STACK
    }

    private static final int SEARCH_DEPTH = 4; // objects within objects
    private static final Set<String> BLOCK_STACK_FIELDS = Set.of("mlstm_block", "slstm_block", "slstm_at");
    private static final Set<String> LARGE_FIELDS = Set.of(
            "qk_dim_factor",
            "v_dim_factor",
            "ffn_proj_factor",
            "ffn_round_up_to_multiple_of",
            "gate_soft_cap",
            "output_logit_soft_cap",
            "weight_mode",
            "chunkwise_kernel",
            "sequence_kernel",
            "step_kernel");
    private static final Set<String> SHORT_LARGE_FIELDS =
            Set.of("embedding_dim", "num_blocks"); // where all else is default

    /** Finds the settings. @throws ModelException if the file is of another architecture */
    static ModelSettings of(JsonObject root) throws ModelException {
        Optional<JsonObject> stack = find(root, object -> hasAny(object, BLOCK_STACK_FIELDS));
        if (stack.isPresent()) {
            return new ModelSettings(root, resolved(root, stack.get()), Architecture.BLOCK_STACK).checked();
        }
        Optional<JsonObject> large = find(root, object -> hasAny(object, LARGE_FIELDS));
        if (large.isPresent() && large.get() != root) {
            return new ModelSettings(root, resolved(root, large.get()), Architecture.LARGE).checked();
        }
        String type = root.value("model_type") instanceof String text ? text : "";
        boolean isLarge = type.isEmpty()
                ? large.isPresent() || hasAny(root, SHORT_LARGE_FIELDS)
                : type.toLowerCase(Locale.ROOT).equals("xlstm");
        if (!isLarge) {
            throw foreign(root, type);
        }
        return new ModelSettings(root, root, Architecture.LARGE).checked();
    }

    private static ModelException foreign(JsonObject root, String type) {
        String only = "xlstm runs xLSTM models only";
        if (type.isEmpty()) {
            return new ModelException(
                    root.file(),
                    "is not an xLSTM config: it has no field of xLSTM large (embedding_dim, num_blocks, qk_dim_factor,"
                            + " ...) and none of a block stack (mlstm_block, slstm_block, slstm_at); " + only);
        }
        String name = root.value("architectures") instanceof List<?> list && list.size() == 1
                ? " (" + JsonObject.shown(list.getFirst()) + ")"
                : "";
        return root.problem("model_type", "is " + JsonObject.shown(type) + name + "; " + only);
    }

    private static boolean hasAny(JsonObject object, Set<String> names) {
        return names.stream().anyMatch(object::has);
    }

    /** The first object that matches, searched breadth-first: the outermost counts. */
    private static Optional<JsonObject> find(JsonObject root, Predicate<JsonObject> matches) throws ModelException {
        Deque<JsonObject> queue = new ArrayDeque<>(List.of(root));
        for (int depth = 0; depth <= SEARCH_DEPTH; depth++) {
            for (int left = queue.size(); left > 0; left--) {
                JsonObject object = queue.remove();
                if (matches.test(object)) {
                    return Optional.of(object);
                }
                for (String name : object.fields().keySet()) {
                    if (object.value(name) instanceof Map) {
                        queue.add(object.object(name));
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** Replaces references to other fields of the file, <code>${dataset.kwargs.vocab_size}</code>, by their values. */
    private static JsonObject resolved(JsonObject root, JsonObject settings) throws ModelException {
        if (settings == root) {
            return settings;
        }
        for (Map.Entry<String, Object> field : settings.fields().entrySet()) {
            if (field.getValue() instanceof String text && text.matches("\\$\\{[\\w.]+}")) {
                JsonObject at = root;
                String[] path = text.substring(2, text.length() - 1).split("\\.");
                for (int i = 0; i + 1 < path.length; i++) {
                    at = at.object(path[i]);
                }
                String last = path.length == 0 ? "" : path[path.length - 1];
                if (at.value(last) == null || at.value(last) instanceof String) {
                    throw settings.problem(field.getKey(), "is " + text + ", which is no value of this file");
                }
                field.setValue(at.value(last));
            }
        }
        return settings;
    }

    boolean wrapped() {
        return fields != root;
    }

    /** The object that has a field: the settings, or else the file around them. */
    JsonObject owner(String field) {
        return fields.has(field) ? fields : root;
    }

    // ---- settings that change the arithmetic

    /** Switches of variants that are not supported; they must be off. */
    private static final Pattern UNSUPPORTED = Pattern.compile(
            "position_embeddings?|position_embedding_type|bidirectional(_\\w+)?|rcps|[ms]lstm_return_\\w+"
                    + "|sliding_window(_\\w+)?|attention_(block|layers|at)|attn_(block|layers|at)|add_qk_norm|add_post_norm");

    private static final Set<Object> OFF = Set.of(false, 0, "", "none", "null", "false");

    private ModelSettings checked() throws ModelException {
        refuseUnsupported(fields, 0);
        return this;
    }

    private void refuseUnsupported(JsonObject object, int depth) throws ModelException {
        for (String name : object.fields().keySet()) {
            Object value = object.value(name);
            Object plain = value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
            boolean on = plain != null
                    && !OFF.contains(plain)
                    && !(plain instanceof List<?> list && list.isEmpty())
                    && !(plain instanceof Map<?, ?> map && map.isEmpty());
            if (on && UNSUPPORTED.matcher(name).matches()) {
                throw object.problem(
                        name,
                        "is " + JsonObject.shown(value)
                                + ", which is not supported: it changes what the model computes");
            }
            if (value instanceof Map && depth < SEARCH_DEPTH) {
                refuseUnsupported(object.object(name), depth + 1);
            }
        }
    }

    /** Fields around the settings that count for the model, too. */
    private static final List<String> OUTER_FIELDS = List.of(
            "vocab_size",
            "context_length",
            "max_position_embeddings",
            "bos_token_id",
            "eos_token_id",
            "pad_token_id",
            "force_bos_token_insert",
            "model_type",
            "architectures");

    /**
     * The settings as a config.json of their own.
     *
     * @param tiedHead whether the head is the embedding where none is stored
     */
    byte[] canonical(boolean tiedHead) {
        Map<String, Object> all = new LinkedHashMap<>(fields.fields());
        OUTER_FIELDS.stream().filter(root::has).forEach(name -> all.putIfAbsent(name, root.value(name)));
        all.put(architecture == Architecture.LARGE ? "tie_word_embeddings" : "tie_weights", tiedHead);
        return JsonObject.write(all);
    }

    /** Remarks for people who look at the model: fields of the file that contradict each other, and which one counts. */
    List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        if (architecture == Architecture.LARGE) {
            for (String[] names :
                    new String[][] {{"num_blocks", "num_hidden_layers"}, {"embedding_dim", "hidden_size"}}) {
                Object counts = fields.value(names[0]);
                Object other = fields.value(names[1]);
                if (counts != null && other != null && !counts.equals(other)) {
                    remarks.add(names[0] + " " + JsonObject.shown(counts) + " counts, not " + names[1] + " "
                            + JsonObject.shown(other) + ", as in transformers");
                }
            }
        }
        return remarks;
    }
}
