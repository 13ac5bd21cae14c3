package dev.xlstm.chat;

import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.jinja.TrackedString;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.SpecialTokens;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A conversation given as a list of messages, as the model reads it to answer.
 *
 * @param text what the chat template makes of the messages, up to where the answer begins
 * @param ids of the text, with the token that begins a text in front if the model wants one
 * @param template that rendered it
 * @param endOfAnswer the control token that the template writes after an answer; -1 if it writes something else
 */
public record ChatPrompt(String text, int[] ids, ChatTemplate template, int endOfAnswer) {

    /**
     * Renders and encodes messages. No text in them becomes a control token: only the template writes those.
     *
     * @throws ChatException if the template refuses the messages, or the model has no tokenizer
     */
    public static ChatPrompt of(ModelDirectory model, List<Message> messages) throws IOException {
        Tokenizer tokenizer = model.tokenizer().orElseThrow(() -> new ChatException(model.noTokenizer()));
        ChatTemplate template = ChatTemplate.of(model);
        LocalDateTime now = LocalDateTime.now();
        ControlTokens control = new ControlTokens(tokenizer, model.specialTokens(), template, now);
        TrackedString rendered = template.render(messages, true, now);
        int[] ids = begun(model.specialTokens(), control.encode(rendered));
        return new ChatPrompt(rendered.toString(), ids, template, endOfAnswer(template, control, messages, now));
    }

    /** The options of an answer: the template's ends of an answer beside those that were asked for. */
    public GenerationOptions answering(GenerationOptions options) {
        Set<String> stops = new LinkedHashSet<>(options.stop());
        stops.addAll(template.stops());
        Set<Integer> stopIds = new LinkedHashSet<>(options.stopIds());
        if (endOfAnswer >= 0) {
            stopIds.add(endOfAnswer);
        }
        return options.withStop(List.copyOf(stops)).withStopIds(stopIds);
    }

    /** Renders the messages with an answer, and looks at what follows it. */
    static int endOfAnswer(ChatTemplate template, ControlTokens control, List<Message> messages, LocalDateTime now) {
        String answer = Placeholder.of(0); // no text in the messages looks like it
        List<Message> answered = new ArrayList<>(messages);
        answered.add(Message.of("assistant", TrackedString.trusted(answer)));
        String whole;
        try {
            whole = template.render(answered, false, now).toString();
        } catch (ChatException e) {
            return -1;
        }
        int at = whole.lastIndexOf(answer);
        return at < 0
                ? -1
                : control.firstToken(whole.substring(at + answer.length()).stripLeading());
    }

    /** Puts the token that begins a text in front of ids, if the model wants it and the template has not written it. */
    static int[] begun(SpecialTokens special, int[] ids) {
        boolean missing = special.prependBos()
                && (ids.length == 0 || ids[0] != special.bos().getAsInt());
        return missing
                ? IntStream.concat(IntStream.of(special.bos().getAsInt()), IntStream.of(ids))
                        .toArray()
                : ids;
    }

    /** Takes that token away: a conversation that begins after a state is not the beginning of a text. */
    static int[] withoutBeginning(SpecialTokens special, int[] ids) {
        boolean begins = special.bos().isPresent()
                && ids.length > 0
                && ids[0] == special.bos().getAsInt();
        return begins ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }
}
