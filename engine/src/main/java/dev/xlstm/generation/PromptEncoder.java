package dev.xlstm.generation;

import dev.xlstm.tokenizer.Encoder;
import java.util.Arrays;

/**
 * Encodes a prompt that arrives in parts; the ids do not depend on the parts. The ids that the model wants first, such as
 * bos, are put in front unless the text begins with them.
 */
final class PromptEncoder {

    private final Encoder encoder;
    private final int[] start;
    private int[] first = new int[0]; // ids held back until they can be compared with start; null when that is done

    /**
     * @param start ids to begin with; may be empty
     */
    PromptEncoder(Encoder encoder, int[] start) {
        this.encoder = encoder;
        this.start = start;
    }

    /** Takes more text and returns the ids that are final by now. */
    int[] append(CharSequence text) {
        int[] ids = encoder.append(text);
        return first == null ? ids : begin(ids, false);
    }

    /** Ends the text and returns the rest of its ids. */
    int[] finish() {
        int[] ids = encoder.finish();
        return first == null ? ids : begin(ids, true);
    }

    private int[] begin(int[] ids, boolean all) {
        int[] text = concat(first, ids);
        if (text.length < start.length && !all) {
            first = text;
            return new int[0];
        }
        first = null;
        boolean there = text.length >= start.length && Arrays.equals(text, 0, start.length, start, 0, start.length);
        return there ? text : concat(start, text);
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}
