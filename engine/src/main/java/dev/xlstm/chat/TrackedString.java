package dev.xlstm.chat;

import java.util.BitSet;

/** Interim: a string with marks around what is not a letter or blank, until templates track where characters come from. */
final class TrackedString {

    private static final char MARK = '\uFDD0';

    private final String text;
    private final BitSet marks; // positions before which a mark stands

    private TrackedString(String text, BitSet marks) {
        this.text = text;
        this.marks = marks;
    }

    /** For a template that does not track. */
    static String marked(String text) {
        StringBuilder marked = new StringBuilder();
        text.codePoints().filter(c -> c != MARK).forEach(c -> {
            boolean sign = c < 0x80 && !Character.isLetterOrDigit(c) && !Character.isWhitespace(c);
            marked.append(sign ? String.valueOf(MARK) : "").appendCodePoint(c).append(sign ? MARK : "");
        });
        return marked.toString();
    }

    /** What a template made of marked text. */
    static TrackedString rendered(String marked) {
        StringBuilder text = new StringBuilder();
        BitSet marks = new BitSet();
        for (int i = 0; i < marked.length(); i++) {
            if (marked.charAt(i) == MARK) {
                marks.set(text.length());
            } else {
                text.append(marked.charAt(i));
            }
        }
        return new TrackedString(text.toString(), marks);
    }

    TrackedString concat(TrackedString other) {
        BitSet all = (BitSet) marks.clone();
        other.marks.stream().forEach(at -> all.set(at + text.length()));
        return new TrackedString(text + other.text, all);
    }

    TrackedString substring(int from, int to) {
        return new TrackedString(text.substring(from, to), marks.get(from, to + 1));
    }

    boolean isTrusted(int from, int to) {
        int next = marks.nextSetBit(from + 1);
        return next < 0 || next >= to;
    }

    @Override
    public String toString() {
        return text;
    }
}
