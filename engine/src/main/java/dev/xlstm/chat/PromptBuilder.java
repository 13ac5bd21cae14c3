package dev.xlstm.chat;

import dev.xlstm.generation.TextModel;
import dev.xlstm.jinja.TrackedString;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;

/**
 * Decides what the model reads next: renders the whole conversation and takes what follows the longest part that a snapshot
 * has read already. Most templates only append to what was read. Those that rewrite earlier turns (by cutting out
 * reasoning, say) make the model read again from the last snapshot before the change. In both cases the model has read
 * exactly the rendering.
 */
final class PromptBuilder {

    private final TextModel model;
    private final ChatTemplate template;
    private final ControlTokens control;
    private final LocalDateTime started;

    /** @param started the time that the template sees, always the same lest the rendering change at midnight */
    PromptBuilder(TextModel model, ChatTemplate template, LocalDateTime started) {
        this.model = model;
        this.template = template;
        this.started = started;
        control = new ControlTokens(model.tokenizer().orElseThrow(), model.specialTokens(), template, started);
    }

    ControlTokens control() {
        return control;
    }

    /** What to read for a question of the user's. */
    Prompt question(Turn head, String text) {
        return prompt(head, rendered(head, TrackedString.untrusted(text)));
    }

    /**
     * What to read before the text of a document. The prompt's text includes the document's placeholder, its ids end before
     * the document's.
     *
     * @param id of the document's turn
     */
    Prompt document(Turn head, int id) {
        TrackedString rendered = rendered(head, TrackedString.trusted(Placeholder.of(id)));
        int at = rendered.toString().indexOf(Placeholder.of(id));
        if (at < 0) {
            throw new ChatException("the chat template leaves out what the user says: nothing can be read into it");
        }
        Prompt before = prompt(head, rendered.substring(0, at));
        return new Prompt(before.base(), before.text() + Placeholder.of(id), before.ids(), 0);
    }

    private TrackedString rendered(Turn head, TrackedString text) {
        List<Message> messages = head.messages(control::answer);
        messages.add(Message.of("user", head.openDocuments().concat(text)));
        TrackedString rendered = template.render(messages, true, started);
        // other templates begin with a token of their own
        boolean separate = template.isPlain() && head.beginning().position() > 0;
        return separate ? TrackedString.trusted("\n\n").concat(rendered) : rendered;
    }

    private Prompt prompt(Turn head, TrackedString rendered) {
        String whole = rendered.toString();
        for (SnapshotKey base : snapshotsBefore(head)) {
            String read = base.text();
            int[] ids = whole.startsWith(read) ? idsAfter(base, head, rendered, read.length()) : null;
            if (ids != null) {
                return new Prompt(base, whole.substring(read.length()), ids, 0);
            }
        }
        throw new IllegalStateException("a rendering that does not begin with the empty text");
    }

    /**
     * The ids of the rendering from a character on, null if they are not those that the whole text has there: at the end of
     * a question the tokenizer may join characters of both parts. After an answer or a document this does not matter, as
     * they keep the ids they were read with.
     */
    private int[] idsAfter(SnapshotKey base, Turn head, TrackedString rendered, int from) {
        if (!base.asked()) {
            return encode(base, head, rendered, from);
        }
        Prompt read = base.turn().prompt();
        int[] ids = encode(read.base(), head, rendered, from - read.text().length());
        int shared = read.ids().length;
        return ids.length >= shared && Arrays.equals(ids, 0, shared, read.ids(), 0, shared)
                ? Arrays.copyOfRange(ids, shared, ids.length)
                : null;
    }

    /** The ids of the rendering from a character on; those of documents stand in the places of their placeholders. */
    private int[] encode(SnapshotKey base, Turn head, TrackedString rendered, int from) {
        List<int[]> parts = new ArrayList<>();
        String text = rendered.toString();
        int at = from;
        Matcher placeholder = Placeholder.in(text);
        while (placeholder.find(at)) {
            parts.add(control.encode(rendered.substring(at, placeholder.start())));
            parts.add(document(Integer.parseInt(placeholder.group(1)), head));
            at = placeholder.end();
        }
        parts.add(control.encode(rendered.substring(at, text.length())));
        int[] ids = parts.stream().flatMapToInt(Arrays::stream).toArray();
        if (!base.turn().isBeginning()) {
            return ids;
        }
        return base.position() > 0
                ? ChatPrompt.withoutBeginning(model.specialTokens(), ids)
                : ChatPrompt.begun(model.specialTokens(), ids);
    }

    private static int[] document(int id, Turn head) {
        for (Turn turn = head; turn != null; turn = turn.parent()) {
            if (turn.id() == id) {
                return turn.documentIds();
            }
        }
        throw new ChatException("the chat template writes a text that looks like a document's place");
    }

    /** The control token that the template writes after an answer, -1 if it writes something else. */
    int endOfAnswer(Turn question) {
        List<Message> messages = question.parent().messages(control::answer);
        messages.add(question.userMessage());
        return ChatPrompt.endOfAnswer(template, control, messages, started);
    }

    /** The snapshots on the way to a turn, the latest first; the last has read nothing of the conversation. */
    private static List<SnapshotKey> snapshotsBefore(Turn head) {
        List<SnapshotKey> keys = new ArrayList<>();
        for (Turn turn = head; !turn.isBeginning(); turn = turn.parent()) {
            keys.add(SnapshotKey.after(turn));
            if (turn.isExchange()) {
                keys.add(SnapshotKey.asked(turn));
            }
        }
        keys.add(SnapshotKey.after(head.beginning()));
        return keys;
    }
}
