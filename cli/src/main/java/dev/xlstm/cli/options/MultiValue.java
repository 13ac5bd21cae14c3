package dev.xlstm.cli.options;

/** Options that may be given several times. */
public final class MultiValue {

    /** Separates the values of one option in a default; a character that nobody types. */
    public static final String SEPARATOR = "\u001f";

    private MultiValue() {}
}
