package dev.xlstm.chat;

import java.util.Map;

/**
 * A message as a chat template sees it.
 *
 * @param role system, user or assistant
 */
public record Message(String role, String content) {

    Map<String, Object> asMap() {
        return Map.of("role", role, "content", role.equals("assistant") ? content : TrackedString.marked(content));
    }
}
