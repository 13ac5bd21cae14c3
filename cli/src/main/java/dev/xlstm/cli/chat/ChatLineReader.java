package dev.xlstm.cli.chat;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jline.keymap.KeyMap;
import org.jline.reader.Binding;
import org.jline.reader.LineReader;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.reader.impl.history.DefaultHistory;
import org.jline.terminal.Terminal;

/**
 * Reads lines and tells those typed from pasted ones. A pasted text is literal: it may be code or a path, in which quotes,
 * backslashes and slashes mean nothing to a chat.
 */
final class ChatLineReader extends LineReaderImpl {

    private static final String PASTE_END = "\u001b[201~";
    private static final int MAX_REMEMBERED = 100;

    private final List<String> pastes = new ArrayList<>(); // into the current line
    private final Set<String> literalLines = new LinkedHashSet<>(); // read before, and may be recalled
    private boolean draft; // the line began with a text to change

    ChatLineReader(Terminal terminal, Map<String, Object> variables) {
        super(terminal, terminal.getName(), variables);
        setHistory(new DefaultHistory());
        setParser(new ChatLineParser(this::isLiteral));
        option(Option.DISABLE_EVENT_EXPANSION, true);
        bindArrowsOfAnyMode(getKeyMaps().get(LineReader.MAIN));
    }

    /** Some terminals send keys as in normal mode though JLine asked for those of application mode. */
    private static void bindArrowsOfAnyMode(KeyMap<Binding> keys) {
        for (char key : "ABCDHF".toCharArray()) {
            Binding bound = keys.getBound("\u001bO" + key);
            if (bound != null) {
                keys.bind(bound, "\u001b[" + key);
            }
        }
    }

    /**
     * Reads a line.
     *
     * @param text what the line begins with, to be changed; null for nothing
     */
    String read(String prompt, String text) {
        pastes.clear();
        draft = text != null;
        String line = readLine(prompt, null, (Character) null, text);
        if (isLiteral(line)) {
            literalLines.add(line);
            if (literalLines.size() > MAX_REMEMBERED) {
                literalLines.remove(literalLines.iterator().next());
            }
        }
        return line;
    }

    /** JLine's own turns CR LF, as terminals paste it, into two line feeds. */
    @Override
    public boolean beginPaste() {
        String text = doReadStringUntil(PASTE_END).replace("\r\n", "\n").replace('\r', '\n');
        pastes.add(text);
        regionActive = RegionType.PASTE;
        regionMark = getBuffer().cursor();
        getBuffer().write(text);
        return true;
    }

    /**
     * Whether a line is text as it stands. Not if something typed in front of a paste says otherwise: the slash of a
     * command that takes the paste as its argument, or quotes.
     */
    boolean isLiteral(String line) {
        if (draft || literalLines.contains(line)) {
            return true;
        }
        boolean pasted = pastes.stream().anyMatch(paste -> !paste.isBlank() && line.contains(paste));
        boolean typedSyntax = ChatLineParser.hasSyntax(line) && pastes.stream().noneMatch(line::startsWith);
        return pasted && !typedSyntax;
    }

    /** Whether the last key pressed was Ctrl-D, rather than the input at its end. */
    boolean endedByKey() {
        return "\u0004".equals(getLastBinding());
    }
}
