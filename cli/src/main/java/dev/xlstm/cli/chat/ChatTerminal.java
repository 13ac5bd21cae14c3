package dev.xlstm.cli.chat;

import dev.xlstm.cli.console.ColorMode;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.console.WordWrap;
import java.io.IOException;
import java.util.Locale;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.WCWidth;

/** The terminal of a chat: what is written to it, and Ctrl-C while the model is at work. */
public final class ChatTerminal implements AutoCloseable {

    private static final String PASTES_MARKED = "\u001b[?2004h"; // so that a paste is one text, whatever is in it
    public static final String PASTES_PLAIN = "\u001b[?2004l";
    private static final int NARROWEST_TEXT = 20; // columns
    private static final int NARROW_INDENT = 4; // where a table has no room for the other
    private static final long PATIENCE_NANOS = 300_000_000; // before progress is shown

    private final Terminal terminal;
    private final boolean colour;
    private final boolean dumb;
    private final Attributes found; // of the terminal as the user left it
    private volatile boolean interrupted;
    private long workBegan;
    private boolean progressShown;

    ChatTerminal(ColorMode color) throws IOException {
        // while a line is read, Ctrl-C is a key like others; JLine would raise a signal for it, too, and take it twice
        System.setProperty(TerminalBuilder.PROP_SOFTWARE_SIGNALS, "false");
        terminal = open();
        dumb = terminal.getType().startsWith(Terminal.TYPE_DUMB);
        colour = color.decide(!dumb, System.getenv());
        terminal.handle(Signal.INT, signal -> interrupted = true); // never the end of the process
        found = terminal.getAttributes();
        keys(false);
        markPastes(true);
    }

    /** Asks the terminal nothing: with the answers JLine would throw away what was typed before them. */
    private static Terminal open() throws IOException {
        return TerminalBuilder.builder()
                .system(true)
                .dumb(true)
                .graphemeCluster(false)
                .build();
    }

    /** Of the terminal that the process writes to, 0 if unknown. */
    static int columns() throws IOException {
        try (Terminal terminal = open()) {
            return terminal.getColumns();
        }
    }

    /** The reader of lines does so only while it reads. */
    private void markPastes(boolean mark) {
        if (!dumb) {
            print(mark ? PASTES_MARKED : PASTES_PLAIN);
        }
    }

    Terminal terminal() {
        return terminal;
    }

    int width() {
        return terminal.getColumns();
    }

    void print(String text) {
        terminal.writer().print(text);
        terminal.flush();
    }

    /** Lines of the program's own, text of strangers in them made harmless. */
    void say(String text) {
        print(Streams.visible(text.stripTrailing()) + "\n");
    }

    /** A table of the program's own: what does not fit in a line goes on below, from the column on where its text begins. */
    void table(String lines, int column) {
        say(fitted(lines, column, width()));
    }

    /** @param width 0 for lines as they are */
    static String fitted(String lines, int column, int width) {
        int room = width - 1; // the last column makes some terminals wrap
        int indent = room - column < NARROWEST_TEXT ? NARROW_INDENT : column;
        StringBuilder fitted = new StringBuilder();
        for (String line : lines.stripTrailing().split("\n")) {
            String rest = line;
            int from = 0; // what is in front of it is indent
            while (room > 2 * NARROW_INDENT && rest.length() > room) {
                int blank = rest.lastIndexOf(' ', room);
                int end = rest.substring(from, Math.max(from, blank)).isBlank() ? room : blank;
                fitted.append(rest.substring(0, end).stripTrailing()).append('\n');
                rest = " ".repeat(indent) + rest.substring(end).stripLeading();
                from = indent;
            }
            fitted.append(rest).append('\n');
        }
        return fitted.toString();
    }

    /** Text of people and models, in as many lines as it takes. */
    void prose(String text) {
        print(wrapped(text));
    }

    /** A remark in the background. */
    void note(String text) {
        print(inColour("2", wrapped(text)));
    }

    void complain(String text) {
        print(inColour("31", wrapped(text.strip().replaceAll("\\s*\\R\\s*", " "))));
    }

    private String inColour(String code, String lines) {
        return colour ? "\u001b[" + code + "m" + lines.stripTrailing() + "\u001b[0m\n" : lines;
    }

    private String wrapped(String text) {
        StringBuilder lines = new StringBuilder();
        WordWrap wrap = new WordWrap(lines::append, this::width, WCWidth::wcwidth);
        wrap.print(text);
        wrap.end();
        return lines.toString();
    }

    /** For an answer while it comes. */
    WordWrap wordWrap() {
        return new WordWrap(this::print, this::width, WCWidth::wcwidth);
    }

    /** Work that Ctrl-C stops. */
    interface Work {
        void run() throws IOException;
    }

    /** Runs work; keys pressed meanwhile wait, unseen, for the next line. */
    void whileWorking(Work work) throws IOException {
        interrupted = false;
        markPastes(true);
        workBegan = System.nanoTime();
        progressShown = false;
        keys(true);
        try {
            work.run();
        } finally {
            keys(false);
            eraseProgress();
        }
    }

    /** Leaves the terminal to another program. */
    void lend(Work work) throws IOException {
        terminal.setAttributes(found);
        try {
            work.run();
        } finally {
            keys(false);
        }
    }

    /**
     * No echo and no line editing, at any time, or what is pressed between an output and the next prompt shows in front of it.
     * Signals only while the model is at work.
     */
    private void keys(boolean signals) {
        if (dumb) {
            return;
        }
        Attributes attributes = new Attributes(found);
        attributes.setLocalFlag(Attributes.LocalFlag.ECHO, false);
        attributes.setLocalFlag(Attributes.LocalFlag.ICANON, false);
        attributes.setLocalFlag(Attributes.LocalFlag.ISIG, signals);
        attributes.setLocalFlag(Attributes.LocalFlag.NOFLSH, true); // or Ctrl-C discards what is still to be shown
        terminal.setAttributes(attributes);
    }

    boolean interrupted() {
        return interrupted;
    }

    /** Shows how far reading is, on work that takes its time. */
    void progress(long done, long total) {
        if (dumb || System.nanoTime() - workBegan < PATIENCE_NANOS) {
            return;
        }
        String text = total > 0
                ? String.format(Locale.ROOT, "reading %,d of %,d tokens", done, total)
                : String.format(Locale.ROOT, "reading: %,d tokens", done);
        if (width() > 0 && text.length() >= width()) {
            text = text.substring(0, Math.max(0, width() - 1));
        }
        print("\r" + text + "\u001b[K");
        progressShown = true;
    }

    void eraseProgress() {
        if (progressShown) {
            print("\r\u001b[K");
            progressShown = false;
        }
    }

    @Override
    public void close() throws IOException {
        markPastes(false);
        terminal.setAttributes(found);
        terminal.close();
    }
}
