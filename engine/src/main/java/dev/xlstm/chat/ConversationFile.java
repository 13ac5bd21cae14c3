package dev.xlstm.chat;

import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.TextModel;
import dev.xlstm.safetensors.WholeFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A conversation on disk: a directory with {@code conversation.json}, which holds the tree of turns with texts and ids, and
 * with snapshot files. Saving writes a new file and renames it last, so that the directory holds a whole conversation at
 * any time.
 */
public final class ConversationFile {

    private static final String NAME = "conversation.json";
    private static final int VERSION = 2;
    private static final long MAX_BYTES = 1L << 30;

    private final Path directory;
    private final JsonNode json;
    private final Map<Integer, Turn> turns = new HashMap<>();
    private final Map<String, Turn> branches = new LinkedHashMap<>();

    private ConversationFile(Path directory, JsonNode json) throws IOException {
        this.directory = directory;
        this.json = json;
        if (json.path("version").asInt(0) != VERSION) {
            throw problem("\"version\" is not " + VERSION + ": it was written by another version of this program");
        }
        for (JsonNode node : json.path("turns")) {
            Turn turn = turn(node);
            turns.put(turn.id(), turn);
        }
        json.path("branches").forEachEntry((name, id) -> branches.put(name, turns.get(id.asInt(-1))));
        boolean whole = branches.values().stream().allMatch(turn -> turn != null && turn.kind() != Turn.Kind.STATE);
        if (!whole || !branches.containsKey(branch())) {
            throw problem("\"branches\" name a turn that is not there");
        }
        if (branches.keySet().stream().anyMatch(name -> !Branches.isName(name))) {
            throw problem("\"branches\" have a name with blanks or control characters");
        }
    }

    /**
     * Saves a conversation in its directory. When this returns, conversation.json is on disk, from which the conversation
     * can go on; snapshots follow in the background, so that nothing need be read again.
     */
    public static void save(Conversation conversation, Path directory) throws IOException {
        if (!isIn(directory)) {
            conversation.awaitStorage(); // conversation.json cannot bring a state file back
        }
        WholeFile.write(of(directory), json(conversation), SnapshotFiles.ownerOnly());
        conversation.saveHead();
    }

    /** Streams the JSON: a tree of nodes would take many times the size of a long conversation's ids. */
    private static byte[] json(Conversation conversation) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JsonMapper.shared().createGenerator(bytes)) {
            json.writeStartObject();
            json.writeNumberProperty("version", VERSION);
            Path model = conversation.model().directory().path();
            json.writeStringProperty("model", model.toAbsolutePath().normalize().toString());
            if (conversation.name() != null) {
                json.writeStringProperty("name", conversation.name());
            }
            json.writeStringProperty("started", conversation.started().toString());
            json.writeStringProperty("branch", conversation.branch());
            json.writeNumberProperty("next", conversation.nextId());
            json.writeObjectPropertyStart("branches");
            conversation.branches().forEach((name, turn) -> json.writeNumberProperty(name, turn.id()));
            json.writeEndObject();
            json.writeArrayPropertyStart("turns");
            conversation.turns().forEach(turn -> write(turn, json));
            json.writeEndArray();
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private static void write(Turn turn, JsonGenerator json) {
        json.writeStartObject();
        json.writeNumberProperty("id", turn.id());
        if (turn.parent() != null) {
            json.writeNumberProperty("parent", turn.parent().id());
        }
        json.writeStringProperty("kind", turn.kind().name());
        if (turn.kind() == Turn.Kind.STATE) {
            json.writeNumberProperty("tokens", turn.position());
        }
        json.writeStringProperty("text", turn.text());
        if (turn.prompt() != null) {
            prompt(turn.prompt(), json);
        }
        if (turn.isExchange()) {
            json.writeStringProperty("answer", turn.answer().text());
            ids("answer_ids", turn.answer().ids(), json);
            json.writeBooleanProperty("decoded", turn.answer().decoded());
            json.writeStringProperty("ending", turn.answer().ending());
        }
        json.writeEndObject();
    }

    /** The text is an array: strings, and the ids of the turns whose documents stand between them. */
    private static void prompt(Prompt prompt, JsonGenerator json) {
        json.writeStringProperty("base", prompt.base().name());
        json.writeArrayPropertyStart("prompt");
        Matcher placeholder = Placeholder.in(prompt.text());
        int at = 0;
        while (placeholder.find()) {
            json.writeString(prompt.text().substring(at, placeholder.start()));
            json.writeNumber(Integer.parseInt(placeholder.group(1)));
            at = placeholder.end();
        }
        json.writeString(prompt.text().substring(at));
        json.writeEndArray();
        ids("prompt_ids", prompt.ids(), json);
        if (prompt.documentLength() > 0) {
            json.writeNumberProperty("document_length", prompt.documentLength());
        }
    }

    private static void ids(String name, int[] ids, JsonGenerator json) {
        json.writeName(name);
        json.writeArray(ids, 0, ids.length);
    }

    /** The file that makes a directory hold a conversation; its modification time is that of the last save. */
    public static Path of(Path directory) {
        return directory.resolve(NAME);
    }

    /** Deletes the conversation in a directory, but not its snapshots. */
    public static void delete(Path directory) throws IOException {
        Files.deleteIfExists(of(directory));
    }

    /** Whether a directory holds a saved conversation. */
    public static boolean isIn(Path directory) {
        return Files.isRegularFile(of(directory));
    }

    /**
     * Reads conversation.json.
     *
     * @throws IOException if there is none or it is damaged
     */
    public static ConversationFile open(Path directory) throws IOException {
        Path file = of(directory);
        if (!Files.isRegularFile(file)) {
            throw new IOException(directory + ": holds no conversation");
        }
        if (Files.size(file) > MAX_BYTES) {
            throw new IOException(file + ": is larger than " + MAX_BYTES + " bytes");
        }
        try {
            JsonNode json = JsonMapper.shared().readTree(Files.readAllBytes(file));
            return new ConversationFile(directory, json);
        } catch (JacksonException e) {
            throw new IOException(file + ": is damaged: " + e.getOriginalMessage(), e);
        }
    }

    private IOException problem(String problem) {
        return new IOException(of(directory) + ": " + problem);
    }

    private Turn turn(JsonNode node) throws IOException {
        if (!node.path("id").isInt() || turns.containsKey(node.get("id").intValue())) {
            throw problem("\"turns\" lack an \"id\" of their own");
        }
        int id = node.get("id").asInt();
        Turn parent = node.has("parent") ? turns.get(node.get("parent").asInt(-1)) : null;
        String text = node.path("text").asString(null);
        String kind = node.path("kind").asString("");
        boolean first = parent == null && !node.has("parent");
        boolean afterState = parent != null && parent.kind() == Turn.Kind.STATE;
        if (kind.equals(Turn.Kind.STATE.name()) && first && text != null) {
            return Turn.state(id, text, Math.max(0, node.path("tokens").asLong(0)));
        } else if (kind.equals(Turn.Kind.BEGINNING.name()) && (first || afterState)) {
            return Turn.beginning(id, parent, text);
        } else if (parent == null || afterState || text == null) {
            throw problem("\"turns\" are not in order");
        } else if (kind.equals(Turn.Kind.DOCUMENT.name())) {
            return Turn.document(id, parent, text, prompt(node, parent));
        } else if (kind.equals(Turn.Kind.EXCHANGE.name())) {
            return Turn.question(id, parent, text, prompt(node, parent)).answered(answer(node));
        }
        throw problem("\"turns\" hold an unknown \"kind\"");
    }

    private Prompt prompt(JsonNode node, Turn parent) throws IOException {
        StringBuilder text = new StringBuilder();
        for (JsonNode part : node.path("prompt")) {
            text.append(part.isString() ? Placeholder.without(part.asString()) : Placeholder.of(part.asInt(0)));
        }
        int[] ids = ids(node.path("prompt_ids"));
        int documentLength = node.path("document_length").asInt(0);
        if (documentLength < 0 || documentLength > ids.length) {
            throw problem("\"document_length\" is not within \"prompt_ids\"");
        }
        return new Prompt(base(node.path("base").asString(""), parent), text.toString(), ids, documentLength);
    }

    /** The snapshot of that name, which belongs to an earlier turn of the path. */
    private SnapshotKey base(String name, Turn parent) throws IOException {
        for (Turn turn = parent; turn != null; turn = turn.parent()) {
            SnapshotKey after = SnapshotKey.after(turn);
            SnapshotKey asked = SnapshotKey.asked(turn);
            if (after.name().equals(name) && turn.kind() != Turn.Kind.STATE) {
                return after;
            } else if (asked.name().equals(name) && turn.isExchange()) {
                return asked;
            }
        }
        throw problem("\"turns\" lack a \"base\" among the turns before them");
    }

    private Answer answer(JsonNode node) throws IOException {
        return new Answer(
                node.path("answer").asString(""),
                ids(node.path("answer_ids")),
                node.path("decoded").asBoolean(false),
                node.path("ending").asString(FinishReason.INTERRUPTED.toString()));
    }

    private int[] ids(JsonNode array) throws IOException {
        if (!array.isArray()) {
            throw problem("\"turns\" lack ids");
        }
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).asInt(-1); // resume refuses it
        }
        return ids;
    }

    /** The directory of the model that the conversation was held with. */
    public String model() {
        return json.path("model").asString("");
    }

    /**
     * Names a saved conversation that is not open.
     *
     * @param name blank for none
     */
    public static void rename(Path directory, String name) throws IOException {
        ConversationFile saved = open(directory);
        ObjectNode json = (ObjectNode) saved.json;
        json.put("name", name.isBlank() ? "" : Excerpt.of(name, Conversation.MAX_NAME_CHARS));
        WholeFile.write(of(directory), JsonMapper.shared().writeValueAsBytes(json), SnapshotFiles.ownerOnly());
    }

    /** The name that the user has given; null for none. */
    public String name() {
        String name = json.path("name").asString("");
        return name.isBlank() ? null : Excerpt.of(name, Conversation.MAX_NAME_CHARS);
    }

    /** The name, else the first question of the current branch; null if there is neither. */
    public String title() {
        String name = name();
        return name != null ? name : branches.get(branch()).firstQuestion();
    }

    public String branch() {
        return json.path("branch").asString("");
    }

    public Map<String, Turn> branches() {
        return branches;
    }

    public LocalDateTime started() {
        try {
            return LocalDateTime.parse(json.path("started").asString(""));
        } catch (DateTimeParseException e) {
            return LocalDateTime.now();
        }
    }

    /**
     * Resumes the conversation; feeds nothing if the snapshot after its last turn is on disk.
     *
     * @throws IOException if it does not fit the model
     */
    public Conversation resume(TextModel model, ChatTemplate template, long memoryBytes, long diskBytes)
            throws IOException {
        int vocab = model.loaded().config().vocabSize();
        for (Turn turn : turns.values()) {
            for (int id : turn.ownIds()) {
                if (id < 0 || id >= vocab) {
                    throw problem("id " + id + " is outside the vocabulary of "
                            + model.directory().path() + ": it was held with another model, " + model());
                }
            }
        }
        Conversation conversation = new Conversation(
                model, template, new Conversation.Storage(memoryBytes, directory, diskBytes), started());
        int next = turns.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
        conversation.restore(
                branches, branch(), Math.max(next, json.path("next").asInt(0)), name());
        return conversation;
    }
}
