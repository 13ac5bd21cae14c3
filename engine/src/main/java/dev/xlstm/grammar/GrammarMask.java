package dev.xlstm.grammar;

import java.util.Arrays;

/**
 * The position of one text in a grammar, and the ids allowed next. After an allowed id the text is still a prefix of some
 * text of the grammar; stop ids are allowed exactly where the text is complete. As long as the remaining token budget
 * suffices for some completion, only ids are allowed after which it still does.
 */
public final class GrammarMask {

    private final CompiledGrammar grammar;
    private final TokenTrie vocabulary;
    private final int[] stopIds;
    private final long[] allowed; // [V / 64]
    private StackSet position;
    private int left; // remaining token budget
    private boolean ended;
    private boolean current; // allowed and anyText are up to date
    private boolean anyText; // an id other than a stop id is allowed

    /**
     * A mask at the start of a text.
     *
     * @param stopIds ids that end the text; the vocabulary has no bytes for them
     * @param maxTokens the token budget, without the stop id
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
     * Advances over ids generated earlier, regardless of the budget.
     *
     * @param ids allowed by the grammar; none is a stop id
     * @throws IllegalArgumentException if the grammar does not allow this text
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

    /** An independent copy. */
    public GrammarMask copy() {
        return new GrammarMask(this);
    }

    /** Whether an id is allowed next. */
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
     * Advances over an id.
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

    /** Whether the text is complete and may end here. */
    public boolean canEnd() {
        return position.bottom;
    }

    /** Whether the text has ended: by a stop id, or because it is complete and nothing may follow. */
    public boolean hasEnded() {
        if (ended || !canEnd()) {
            return ended;
        }
        update();
        return !anyText;
    }

    /** Whether the remaining budget suffices to complete the text. */
    public boolean endsWithinBudget() {
        return grammar.endsWithin(position, left);
    }

    /** An upper bound of the tokens needed to complete the text; 0 where it may end. */
    public int tokensToEnd() {
        return Math.min(grammar.tokensToEnd(position), position.cost);
    }
}
