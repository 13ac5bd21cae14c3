package dev.xlstm.chat;

import java.util.Map;

/**
 * A turn as templates see it.
 *
 * @param role system, user or assistant
 */
public record Message(String role, String content) {

    Map<String, Object> asMap() {
        return Map.of("role", role, "content", content);
    }
}
