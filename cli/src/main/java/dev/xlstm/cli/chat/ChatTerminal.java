package dev.xlstm.cli.chat;

import dev.xlstm.cli.console.ColorMode;
import dev.xlstm.cli.console.StatusLine;
import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.util.Locale;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.Signals;

/** The terminal of a chat: output, and Ctrl-C while the model works. */
public final class ChatTerminal implements AutoCloseable {

    private static final String PASTES_MARKED = "\u001b[?2004h"; // the terminal marks where a paste begins and ends
    public static final String PASTES_PLAIN = "\u001b[?2004l";
    private static final int NARROWEST_TEXT = 20; // columns
    private static final int NARROW_INDENT = 4; // where a table has no room for more

    private final Terminal terminal;
    private final boolean colour;
    private final boolean dumb;
    private final Attributes found; // of the terminal as the user left it
    private volatile boolean interrupted;
    private StatusLine status = new StatusLine(null, 0);

    ChatTerminal(ColorMode color) throws IOException {
        // while JLine reads a line, Ctrl-C is a key; JLine would also raise a signal for it and handle it twice
        System.setProperty(TerminalBuilder.PROP_SOFTWARE_SIGNALS, "false");
        terminal = open();
        dumb = terminal.getType().startsWith(Terminal.TYPE_DUMB);
        colour = color.decide(!dumb, System.getenv());
        terminal.handle(Signal.INT, signal -> interrupted = true); // never the end of the process
        if (dumb) {
            Signals.register("INT", () -> interrupted = true); // JLine handles no signals of a dumb terminal
        }
        found = terminal.getAttributes();
        keys(false);
        markPastes(true);
    }

    /** Sends no queries to the terminal: JLine would drop what was typed before the answers to them. */
    private static Terminal open() throws IOException {
        return TerminalBuilder.builder()
                .system(true)
                .dumb(true)
                .graphemeCluster(false)
                .build();
    }

    /** Columns of the terminal that the process writes to, 0 if unknown. */
    static int columns() throws IOException {
        try (Terminal terminal = open()) {
            return terminal.getColumns();
        }
    }

    /** JLine turns this on only while it reads a line. */
    private void markPastes(boolean mark) {
        if (!dumb) {
            print(mark ? PASTES_MARKED : PASTES_PLAIN);
        }
    }

    Terminal terminal() {
        return terminal;
    }

    /** Whether the terminal obeys no escape sequences. */
    boolean isDumb() {
        return dumb;
    }

    int width() {
        return terminal.getColumns();
    }

    void print(String text) {
        terminal.writer().print(text);
        terminal.flush();
    }

    /** Prints the program's own lines; control characters in names and texts are shown, not sent. */
    void say(String text) {
        print(Streams.visible(text.stripTrailing()) + "\n");
    }

    /** Prints a table. Text that does not fit continues below, from the column where it begins. */
    void table(String lines, int column) {
        say(fitted(lines, column, width()));
    }

    /** @param width 0 for lines as they are */
    static String fitted(String lines, int column, int width) {
        int room = width - 1; // the last column makes some terminals wrap
        int indent = column > NARROW_INDENT && room - column < NARROWEST_TEXT ? NARROW_INDENT : column;
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

    /**
     * Prints text of people and models. The terminal wraps it: line feeds of ours would be copied with the text and stay
     * when the window is resized.
     */
    void prose(String text) {
        AnswerPrinter printer = new AnswerPrinter(this::print);
        printer.print(text);
        printer.end();
    }

    /** Prints a remark, dimmed. */
    void note(String text) {
        remark("2", text);
    }

    void complain(String text) {
        remark("31", text.strip().replaceAll("\\s*\\R\\s*", " "));
    }

    private void remark(String code, String text) {
        String lines = fitted(Streams.visible(text), 0, width());
        print(colour ? "\u001b[" + code + "m" + lines.stripTrailing() + "\u001b[0m\n" : lines);
    }

    /** Asks a question; any answer but y means no. */
    boolean confirm(String question) throws IOException {
        print(Streams.visible(question) + " [y/N] ");
        int key = terminal.reader().read();
        for (int rest = key;
                dumb && rest >= 0 && rest != '\n';
                rest = terminal.reader().read()) {
            // the terminal hands over a whole line
        }
        boolean yes = key == 'y' || key == 'Y';
        print(dumb ? "" : (yes ? "y" : "n") + "\n");
        return yes;
    }

    /** Work that Ctrl-C stops. */
    interface Work {
        void run() throws IOException;
    }

    /** Runs work; keys pressed meanwhile are not echoed and go to the next line. */
    void whileWorking(Work work) throws IOException {
        interrupted = false;
        markPastes(true);
        keys(true);
        status = new StatusLine(dumb ? null : this::print, StatusLine.SHORT_WORK_NANOS);
        try {
            work.run();
        } finally {
            keys(false);
            status.close();
        }
    }

    /** Runs work in which another program uses the terminal. */
    void lend(Work work) throws IOException {
        terminal.setAttributes(found);
        try {
            work.run();
        } finally {
            keys(false);
        }
    }

    /**
     * Turns echo and line editing off, also between lines, where the terminal would else show keys in front of the prompt.
     *
     * @param signals whether Ctrl-C raises a signal: only while the model works
     */
    private void keys(boolean signals) {
        if (dumb) {
            return;
        }
        Attributes attributes = new Attributes(found);
        attributes.setLocalFlag(Attributes.LocalFlag.ECHO, false);
        attributes.setLocalFlag(Attributes.LocalFlag.ICANON, false);
        attributes.setLocalFlag(Attributes.LocalFlag.ISIG, signals);
        attributes.setInputFlag(Attributes.InputFlag.ICRNL, false); // a paste may hold CR LF
        attributes.setLocalFlag(Attributes.LocalFlag.NOFLSH, true); // or Ctrl-C discards what is still to be shown
        terminal.setAttributes(attributes);
    }

    boolean interrupted() {
        return interrupted;
    }

    /** Shows at once that the model works. */
    void showWorking() {
        status.showNow(() -> "…");
    }

    /** Shows how far reading is, where it takes long. */
    void progress(long done, long total) {
        status.show(() -> {
            String text = total > 0
                    ? String.format(Locale.ROOT, "reading %,d of %,d tokens", done, total)
                    : String.format(Locale.ROOT, "reading: %,d tokens", done);
            return width() > 0 && text.length() >= width() ? text.substring(0, Math.max(0, width() - 1)) : text;
        });
    }

    void eraseProgress() {
        status.erase();
    }

    @Override
    public void close() throws IOException {
        markPastes(false);
        terminal.setAttributes(found);
        terminal.close();
    }
}
