package dev.xlstm.chat;

import dev.xlstm.generation.GenerationListener;

/**
 * Reports the reading of several pieces of a prompt as one. Passes on no text: a state read before may hold back the end of
 * its own.
 */
final class PrefillRelay implements GenerationListener {

    private final GenerationListener listener;
    private final boolean endKnown;
    private int finished; // ids of the pieces that have been read

    /** @param endKnown false while a document is still arriving */
    PrefillRelay(GenerationListener listener, boolean endKnown) {
        this.listener = listener;
        this.endKnown = endKnown;
    }

    @Override
    public void prefill(int done, int total) {
        listener.prefill(finished + done, endKnown ? finished + total : -1);
        finished += done == total ? total : 0;
    }

    @Override
    public boolean cancelled() {
        return listener.cancelled();
    }
}
