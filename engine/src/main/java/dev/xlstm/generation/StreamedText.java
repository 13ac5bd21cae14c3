package dev.xlstm.generation;

import dev.xlstm.tokenizer.Decoder;
import dev.xlstm.tokenizer.Tokenizer;

/** Turns ids into text as they come: whole characters, up to a stop string. */
final class StreamedText {

    private final Tokenizer tokenizer; // null for a model without one
    private final Decoder decoder; // likewise
    private final StopMatcher stops;

    StreamedText(Tokenizer tokenizer, Decoder decoder, StopMatcher stops) {
        this.tokenizer = tokenizer;
        this.decoder = decoder;
        this.stops = stops;
    }

    /** The text that an id makes certain; empty without a tokenizer. */
    String accept(int id) {
        if (tokenizer == null) {
            return "";
        }
        return tokenizer.isSpecial(id) ? stops.appendSpecial(tokenizer.token(id)) : stops.append(decoder.accept(id));
    }

    /** Whether a stop string has ended the text. */
    boolean stopped() {
        return stops.matched() != null;
    }
}
