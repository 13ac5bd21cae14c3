package dev.xlstm.grammar;

import java.util.Arrays;

/**
 * Where one text is in a grammar, and which ids may come next. An id that is allowed keeps the text the beginning of some
 * text of the grammar; those that end the text are allowed exactly where it is a whole one. While the budget of tokens
 * suffices for some ending, only ids are allowed that leave this true.
 */
public final class GrammarMask {

    private final CompiledGrammar grammar;
    private final TokenTrie vocabulary;
    private final int[] stopIds;
    private final long[] allowed; // [V / 64]
    private StackSet position;
    private int left; // tokens of the budget
    private boolean ended;
    private boolean current; // allowed and anyText belong to position
    private boolean anyText; // an id is allowed that does not end the text

    /**
     * At the beginning of a text.
     *
     * @param stopIds end the text; the vocabulary has no bytes for them
     * @param maxTokens how many ids there may be besides one that ends the text
     */
    public GrammarMask(CompiledGrammar grammar, int[] stopIds, int maxTokens) {
        this.grammar = grammar;
        vocabulary = grammar.vocabulary();
        this.stopIds = stopIds.clone();
        for (int id : stopIds) {
            if (id < 0 || id >= vocabulary.vocabSize() || isText(id)) {
                throw new IllegalArgumentException("id " + id + " cannot both end the text and be part of it");
            }
        }
        allowed = new long[(vocabulary.vocabSize() + 63) / 64];
        position = grammar.start();
        left = maxTokens;
    }

    /**
     * Goes on behind the beginning of a text that has been generated before, whatever the budget was then.
     *
     * @param ids that the grammar allows, none of which ends the text
     * @throws IllegalArgumentException if the grammar allows no such text
     */
    public void replay(int[] ids) {
        for (int id : ids) {
            boolean known = id >= 0 && id < vocabulary.vocabSize() && isText(id);
            for (byte b : known ? vocabulary.bytes(id) : new byte[0]) {
                position = grammar.next(position, b & 0xFF);
            }
            if (!known || position.isEmpty()) {
                throw new IllegalArgumentException("id " + id + " is not what the grammar allows next");
            }
        }
        current = false;
    }

    private GrammarMask(GrammarMask other) {
        grammar = other.grammar;
        vocabulary = other.vocabulary;
        stopIds = other.stopIds;
        allowed = other.allowed.clone();
        position = other.position;
        left = other.left;
        ended = other.ended;
        current = other.current;
        anyText = other.anyText;
    }

    private boolean isText(int id) {
        byte[] bytes = vocabulary.bytes(id);
        return bytes != null && bytes.length > 0;
    }

    /** A second mask at the same place, which goes its own way from here. */
    public GrammarMask copy() {
        return new GrammarMask(this);
    }

    /** Whether an id may come next. */
    public boolean allows(int id) {
        update();
        return id >= 0 && id < 64 * allowed.length && (allowed[id >> 6] & 1L << id) != 0;
    }

    private void update() {
        if (current) {
            return;
        }
        current = true;
        if (ended || left == 0) {
            Arrays.fill(allowed, 0);
        } else if (endsWithinBudget()) {
            grammar.mask(position, left - 1, allowed);
        } else {
            System.arraycopy(grammar.mask(position), 0, allowed, 0, allowed.length);
        }
        anyText = false;
        for (long word : allowed) {
            anyText |= word != 0;
        }
        if (canEnd()) {
            for (int id : stopIds) {
                allowed[id >> 6] |= 1L << id;
            }
        }
    }

    /**
     * Goes on with an id.
     *
     * @throws IllegalArgumentException if it is not allowed
     */
    public void accept(int id) {
        if (!allows(id)) {
            throw new IllegalArgumentException("id " + id + " is not what the grammar allows next");
        }
        current = false;
        if (!isText(id)) {
            ended = true;
            return;
        }
        for (byte b : vocabulary.bytes(id)) {
            position = grammar.next(position, b & 0xFF);
        }
        left--;
    }

    /** Whether the text is a whole one of the grammar, and may end here. */
    public boolean canEnd() {
        return position.bottom;
    }

    /** Whether the text has ended: by an id that ends it, or because it is whole and nothing may follow. */
    public boolean hasEnded() {
        if (ended || !canEnd()) {
            return ended;
        }
        update();
        return !anyText;
    }

    /** Whether the tokens left of the budget suffice to end the text. */
    public boolean endsWithinBudget() {
        return grammar.endsWithin(position, left);
    }

    /** An upper bound of the tokens that it takes to end the text from here; 0 where it may end. */
    public int tokensToEnd() {
        return Math.min(grammar.tokensToEnd(position), position.cost);
    }
}
