package dev.xlstm.chat;

import dev.xlstm.generation.TextModel;
import dev.xlstm.jinja.JinjaException;
import dev.xlstm.jinja.Strftime;
import dev.xlstm.jinja.Template;
import dev.xlstm.model.TokenizerConfig;
import java.io.IOException;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The form of a conversation that a model was trained on: its own chat_template, or a plain one for base models. */
public final class ChatTemplate {

    /**
     * For models that come without a template: a script of two speakers, which a base model can continue. The model ends
     * its turn by beginning the user's.
     */
    private static final String PLAIN = """
            {% for message in messages %}
            {% if message.role == 'system' %}
            {{- message.content }}

            {% else %}
            {{- 'User: ' if message.role == 'user' else 'Assistant:' }}{{ message.content }}
            {% endif %}
            {% endfor %}
            {{- 'Assistant:' if add_generation_prompt }}""";

    private final Template template;
    private final boolean plain;
    private final Map<String, Object> names = new HashMap<>();

    /**
     * @param source the model's own template, null if it has none
     */
    ChatTemplate(String source, String bosToken, String eosToken) {
        plain = source == null;
        try {
            template = Template.parse(plain ? PLAIN : source);
        } catch (JinjaException e) {
            throw new ChatException("the model's chat template cannot be read: " + e.getMessage());
        }
        names.put("bos_token", bosToken);
        names.put("eos_token", eosToken);
    }

    /** That of a model. */
    public static ChatTemplate of(TextModel model) throws IOException {
        TokenizerConfig config = model.directory().tokenizerConfig();
        return new ChatTemplate(
                config.chatTemplate().orElse(null),
                config.bosToken().orElse(""),
                config.eosToken().orElse(""));
    }

    /** Whether the model has no template of its own: then it is a base model, not trained to converse. */
    public boolean isPlain() {
        return plain;
    }

    /** Strings that end the model's turn. */
    public List<String> stops() {
        return plain ? List.of("\nUser:") : List.of();
    }

    /**
     * The text of a conversation.
     *
     * @param answer whether it ends where the model is to speak
     * @param now what the template takes for today
     * @throws ChatException if the template refuses these turns
     */
    String render(List<Message> messages, boolean answer, LocalDateTime now) {
        Map<String, Object> all = new HashMap<>(names);
        all.put("messages", messages.stream().map(Message::asMap).toList());
        all.put("add_generation_prompt", answer);
        all.put("strftime_now", Template.function(format -> Strftime.format(format, now)));
        try {
            return template.render(all);
        } catch (JinjaException e) {
            throw new ChatException(
                    (e.raisedByTemplate() ? "the model's chat template refuses: " : "the chat template fails: ")
                            + e.getMessage());
        }
    }
}
