package dev.xlstm.chat;

/**
 * The part of a rendered conversation that one step feeds to the model.
 *
 * @param base the snapshot that the model continues from: it has read all of the rendering before this part
 * @param text with a {@link Placeholder} for each document
 * @param ids of the text, with those of documents in their places
 * @param documentLength how many ids at the end are those of the document that this step reads; 0 for a question
 */
record Prompt(SnapshotKey base, String text, int[] ids, int documentLength) {

    /** Tokens the model has read after it. */
    long position() {
        return base.position() + ids.length;
    }
}
