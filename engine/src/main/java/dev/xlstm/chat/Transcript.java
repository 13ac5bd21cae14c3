package dev.xlstm.chat;

import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A conversation up to a turn, for people and for programs. */
public final class Transcript {

    private Transcript() {}

    /** Markdown with the speakers as headings and the texts unchanged. */
    public static String markdown(Turn last) {
        StringBuilder text = new StringBuilder();
        for (Turn turn : last.path()) {
            if (turn.kind() == Turn.Kind.STATE) {
                text.append("*[after the state " + turn.text() + ", " + turn.position() + " tokens]*\n");
            } else if (turn.isBeginning() && turn.text() != null) {
                section(text, "System", turn.text());
            } else if (turn.kind() == Turn.Kind.DOCUMENT) {
                section(text, "User", "*[read " + turn.text() + ", " + turn.promptTokens() + " tokens]*");
            } else if (turn.isExchange()) {
                section(text, "User", turn.text());
                Answer answer = turn.answer();
                String ending = answer.isComplete() ? "" : " *[" + answer.ending() + "]*";
                section(text, "Assistant", answer.text().strip() + ending);
            }
        }
        return text.toString();
    }

    private static void section(StringBuilder text, String speaker, String words) {
        text.append(text.isEmpty() ? "" : "\n").append("**").append(speaker).append(":**\n\n");
        text.append(words.strip()).append('\n');
    }

    /**
     * A JSON object: {@code messages} of {@code role} and {@code content}, as chat interfaces take them; {@code state}, the
     * state file that the conversation began after, if any; and {@code tokens}, the number of tokens read.
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
                message(messages, "user", "").put("document", turn.text()).put("tokens", turn.promptTokens());
            } else if (turn.isExchange()) {
                message(messages, "user", turn.text());
                message(messages, "assistant", turn.answer().text())
                        .put("finish_reason", turn.answer().ending());
            }
        }
        json.put("tokens", last.position());
        return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    }

    private static ObjectNode message(ArrayNode messages, String role, String content) {
        return messages.addObject().put("role", role).put("content", content);
    }
}
