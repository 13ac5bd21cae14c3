package dev.xlstm.cli.console;

import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.IntUnaryOperator;

/**
 * Text that comes in pieces, as lines for a terminal: words that do not fit go to the next line, control characters are shown
 * instead of obeyed. A word appears as soon as its end is known or it fills the line.
 */
public final class WordWrap {

    private static final int NARROWEST = 10; // columns; below, the terminal breaks lines as it likes

    private final Consumer<String> out;
    private final IntSupplier width;
    private final IntUnaryOperator charWidth;
    private final StringBuilder word = new StringBuilder();
    private int wordWidth;
    private final StringBuilder blanks = new StringBuilder(); // between the last word and this
    private int column;
    private boolean started; // blanks at the beginning are not shown

    /**
     * @param width columns now, 0 if not known
     * @param charWidth columns of a code point
     */
    public WordWrap(Consumer<String> out, IntSupplier width, IntUnaryOperator charWidth) {
        this.out = out;
        this.width = width;
        this.charWidth = charWidth;
    }

    public void print(String piece) {
        String visible = Streams.visible(piece);
        for (int i = 0; i < visible.length(); i += Character.charCount(visible.codePointAt(i))) {
            add(visible.codePointAt(i));
        }
    }

    private void add(int c) {
        if (c == '\n') {
            flushWord();
            blanks.setLength(0);
            if (started) {
                out.accept("\n");
            }
            column = 0;
        } else if (c == ' ' || c == '\t') {
            flushWord();
            if (started) {
                blanks.append(c == '\t' ? "    " : " ");
            }
        } else {
            int wide = Math.max(0, charWidth.applyAsInt(c));
            if (limit() > 0 && wordWidth + wide > limit()) {
                flushWord(); // longer than a line
            }
            word.appendCodePoint(c);
            wordWidth += wide;
            started = true;
        }
    }

    private int limit() {
        int columns = width.getAsInt();
        return columns < NARROWEST ? 0 : columns - 1; // the last column makes some terminals wrap
    }

    private void flushWord() {
        if (word.isEmpty()) {
            return;
        }
        if (limit() > 0 && column > 0 && column + blanks.length() + wordWidth > limit()) {
            out.accept("\n");
            column = 0;
        } else {
            out.accept(blanks.toString());
            column += blanks.length();
        }
        blanks.setLength(0);
        out.accept(word.toString());
        column += wordWidth;
        word.setLength(0);
        wordWidth = 0;
    }

    /** Writes what is held back and ends the line. */
    public void end() {
        flushWord();
        if (column > 0) {
            out.accept("\n");
        }
        column = 0;
    }
}
