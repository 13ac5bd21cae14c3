package dev.xlstm.chat;

import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A conversation up to a turn, to be read by people or programs. */
public final class Transcript {

    private Transcript() {}

    /** Headings for the speakers; nobody's words are changed. */
    public static String markdown(Turn last) {
        StringBuilder text = new StringBuilder();
        for (Turn turn : last.path()) {
            if (turn.kind() == Turn.Kind.STATE) {
                text.append("*[after the state " + turn.text() + ", " + turn.position() + " tokens]*\n");
            } else if (turn.isBeginning() && turn.text() != null) {
                section(text, "System", turn.text());
            } else if (turn.kind() == Turn.Kind.DOCUMENT) {
                section(text, "User", "*[read " + turn.text() + ", " + turn.promptIds().length + " tokens]*");
            } else if (turn.kind() == Turn.Kind.EXCHANGE) {
                section(text, "User", turn.text());
                boolean whole = turn.ending().equals("eos") || turn.ending().equals("stop");
                section(text, "Assistant", turn.answer().strip() + (whole ? "" : " *[" + turn.ending() + "]*"));
            }
        }
        return text.toString();
    }

    private static void section(StringBuilder text, String speaker, String words) {
        text.append(text.isEmpty() ? "" : "\n").append("**").append(speaker).append(":**\n\n");
        text.append(words.strip()).append('\n');
    }

    /**
     * One object: {@code messages} of {@code role} and {@code content}, as chat interfaces take them; {@code state}, what
     * was read before them, if anything; and {@code tokens}, all that is in memory.
     */
    public static String json(Turn last) {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        ArrayNode messages = json.putArray("messages");
        for (Turn turn : last.path()) {
            if (turn.kind() == Turn.Kind.STATE) {
                json.putObject("state").put("name", turn.text()).put("tokens", turn.position());
            } else if (turn.isBeginning() && turn.text() != null) {
                message(messages, "system", turn.text());
            } else if (turn.kind() == Turn.Kind.DOCUMENT) {
                message(messages, "user", "").put("document", turn.text()).put("tokens", turn.promptIds().length);
            } else if (turn.kind() == Turn.Kind.EXCHANGE) {
                message(messages, "user", turn.text());
                message(messages, "assistant", turn.answer()).put("finish_reason", turn.ending());
            }
        }
        json.put("tokens", last.position());
        return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    }

    private static ObjectNode message(ArrayNode messages, String role, String content) {
        return messages.addObject().put("role", role).put("content", content);
    }
}
