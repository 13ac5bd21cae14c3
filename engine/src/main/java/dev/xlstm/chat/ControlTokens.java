package dev.xlstm.chat;

import dev.xlstm.jinja.TrackedString;
import dev.xlstm.model.SpecialTokens;
import dev.xlstm.tokenizer.Decoder;
import dev.xlstm.tokenizer.Encoder;
import dev.xlstm.tokenizer.Tokenizer;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * The added tokens that structure a conversation. Only the template's own text becomes one of them; the same characters
 * written by a user, a document or the model stay ordinary text.
 *
 * <p>A control token is an added token that is special, that begins or ends a text, or that the template writes: its
 * source contains the token, or a rendering of a conversation with all roles does. Other added tokens, such as the runs of
 * blanks of GPT-NeoX, are found in all text, as the tokenizer does.
 */
final class ControlTokens {

    /** A control token and the characters that spell it. */
    private record Control(int id, String text) {}

    /** A control token at a place of a text. */
    private record Found(int at, Control token) {}

    private final Tokenizer tokenizer;
    private final BitSet ids = new BitSet();
    private final List<Control> longestFirst = new ArrayList<>();
    private final BitSet firstChars = new BitSet();

    ControlTokens(Tokenizer tokenizer, SpecialTokens special, ChatTemplate template, LocalDateTime now) {
        this.tokenizer = tokenizer;
        BitSet others = new BitSet(); // added tokens of which it must be found out
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            if (tokenizer.isSpecial(id)) {
                ids.set(id);
            } else if (tokenizer.isAdded(id)) {
                others.set(id);
            }
        }
        special.bos().ifPresent(ids::set);
        special.stopIds().forEach(ids::set);
        others.andNot(ids);
        if (!others.isEmpty()) {
            List<String> written = template.writtenText(now);
            others.stream()
                    .filter(id -> written.stream().anyMatch(text -> text.contains(tokenizer.token(id))))
                    .forEach(ids::set);
        }
        ids.stream()
                .filter(id ->
                        tokenizer.token(id) != null && !tokenizer.token(id).isEmpty())
                .forEach(id -> longestFirst.add(new Control(id, tokenizer.token(id))));
        longestFirst.forEach(control -> firstChars.set(control.text().charAt(0)));
        longestFirst.sort(
                Comparator.comparingInt((Control control) -> control.text().length())
                        .reversed());
    }

    /** An encoder for text in which nothing is a control token. */
    Encoder untrustedEncoder() {
        return tokenizer.encoder(ids);
    }

    /** The ids of text in which nothing is a control token. */
    int[] encodeUntrusted(String text) {
        Encoder encoder = untrustedEncoder();
        int[] first = encoder.append(text);
        int[] rest = encoder.finish();
        int[] all = Arrays.copyOf(first, first.length + rest.length);
        System.arraycopy(rest, 0, all, first.length, rest.length);
        return all;
    }

    /** The ids of rendered text: the tokenizer's own, except where untrusted text spells a control token. */
    int[] encode(TrackedString rendered) {
        String text = rendered.toString();
        List<Found> own = new ArrayList<>();
        boolean spelled = false; // by untrusted text
        for (int at = 0; at < text.length(); ) {
            if (!firstChars.get(text.charAt(at))) {
                at++;
                continue;
            }
            Control token = tokenAt(rendered, text, at);
            spelled |= token != tokenAt(text, at);
            if (token != null) {
                own.add(new Found(at, token));
            }
            at += token == null ? 1 : token.text().length();
        }
        if (!spelled) {
            return tokenizer.encode(text, true);
        }
        List<int[]> parts = new ArrayList<>();
        int from = 0;
        for (Found found : own) {
            parts.add(encodeUntrusted(text.substring(from, found.at())));
            parts.add(new int[] {found.token().id()});
            from = found.at() + found.token().text().length();
        }
        parts.add(encodeUntrusted(text.substring(from)));
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /**
     * The text of an answer. Where the model generated a control token (of its reasoning, say) the text stays that token when
     * it is read again; where it only spelled one, the text stays text.
     */
    TrackedString answer(Answer answer) {
        Decoder decoder = tokenizer.decoder(true);
        StringBuilder text = new StringBuilder();
        TrackedString tracked = TrackedString.trusted("");
        int from = 0; // of what is not in tracked yet
        for (int id : answer.ids()) {
            text.append(decoder.accept(id));
            String token = ids.get(id) ? tokenizer.token(id) : null;
            if (token != null && text.lastIndexOf(token) == text.length() - token.length()) {
                tracked = tracked.concat(TrackedString.untrusted(text.substring(from, text.length() - token.length())))
                        .concat(TrackedString.trusted(token));
                from = text.length();
            }
        }
        tracked = tracked.concat(
                TrackedString.untrusted(text.append(decoder.finish()).substring(from)));
        // a stop string can leave a part of a token behind
        return tracked.toString().equals(answer.text()) ? tracked : TrackedString.untrusted(answer.text());
    }

    /** The longest control token that begins here, null if there is none. */
    private Control tokenAt(String text, int at) {
        for (Control control : longestFirst) {
            if (text.startsWith(control.text(), at)) {
                return control;
            }
        }
        return null;
    }

    /** The longest one of which every character is the template's own. */
    private Control tokenAt(TrackedString rendered, String text, int at) {
        for (Control control : longestFirst) {
            if (text.startsWith(control.text(), at)
                    && rendered.isTrusted(at, at + control.text().length())) {
                return control;
            }
        }
        return null;
    }

    /** The id of the control token that a text of the template's begins with, -1 if it begins with none. */
    int firstToken(String text) {
        Control token = tokenAt(text, 0);
        return token == null ? -1 : token.id();
    }
}
