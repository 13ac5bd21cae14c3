package dev.xlstm.generation;

import dev.xlstm.tokenizer.Decoder;

/** Turns ids into text as they come: whole characters, up to a stop string. */
final class StreamedText {

    private final Decoder decoder; // null without a tokenizer
    private final StopMatcher stops;

    StreamedText(Decoder decoder, StopMatcher stops) {
        this.decoder = decoder;
        this.stops = stops;
    }

    /** The text that an id makes certain; empty without a tokenizer. */
    String accept(int id) {
        return decoder == null ? "" : stops.append(decoder.accept(id));
    }

    /** Whether a stop string has ended the text. */
    boolean stopped() {
        return stops.matched() != null;
    }
}
