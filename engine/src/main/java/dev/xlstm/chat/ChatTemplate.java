package dev.xlstm.chat;

import dev.xlstm.generation.TextModel;
import dev.xlstm.jinja.JinjaException;
import dev.xlstm.jinja.Strftime;
import dev.xlstm.jinja.Template;
import dev.xlstm.jinja.TrackedString;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.TokenizerConfig;
import java.io.IOException;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The text form of a conversation: the model's own chat_template, or a plain one for base models. */
public final class ChatTemplate {

    /**
     * For models without a template: a dialogue that a base model can continue. The model ends its turn by beginning the
     * user's.
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

    private final String source;
    private final Template template;
    private final boolean plain;
    private final Map<String, Object> names = new HashMap<>();

    /**
     * @param source the model's own template, null if it has none
     * @param tokens the special tokens that the template sees, by name
     */
    ChatTemplate(String source, Map<String, String> tokens) {
        plain = source == null;
        this.source = plain ? PLAIN : source;
        try {
            template = Template.parse(this.source);
        } catch (JinjaException e) {
            throw new ChatException("the model's chat template cannot be read: " + e.getMessage());
        }
        names.putAll(tokens);
        // transformers passes both as none
        names.put("tools", null);
        names.put("documents", null);
    }

    /** The template of a model. */
    public static ChatTemplate of(TextModel model) throws IOException {
        return of(model.directory());
    }

    /** The template of a model, whose weights it does not need. */
    public static ChatTemplate of(ModelDirectory directory) throws IOException {
        TokenizerConfig config = directory.tokenizerConfig();
        return new ChatTemplate(config.chatTemplate().orElse(null), config.namedTokens());
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
     * @param answer whether the text ends where the model is to answer
     * @param now the time that the template sees
     * @throws ChatException if the template refuses these messages
     */
    TrackedString render(List<Message> messages, boolean answer, LocalDateTime now) {
        Map<String, Object> all = new HashMap<>(names);
        all.put("messages", messages.stream().map(Message::fields).toList());
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

    /** Text that the template itself writes: its source, and renderings in which nobody says anything of note. */
    List<String> writtenText(LocalDateTime now) {
        Message system = Message.of("system", "s");
        Message user = Message.of("user", "u");
        Message assistant = Message.of("assistant", "a");
        List<String> texts = new ArrayList<>(List.of(source));
        for (List<Message> messages : List.of(
                List.of(system, user, assistant, user), List.of(user, assistant, user), List.of(user, assistant))) {
            for (boolean answer : new boolean[] {true, false}) {
                try {
                    texts.add(render(messages, answer, now).toString());
                } catch (ChatException e) {
                    // not every template takes every order of roles
                }
            }
        }
        return texts;
    }
}
