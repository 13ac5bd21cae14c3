package dev.xlstm.cli;

import com.pty4j.PtyProcess;
import com.pty4j.PtyProcessBuilder;
import com.pty4j.WinSize;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jline.terminal.Size;
import org.jline.utils.ScreenTerminal;

/** A program on a terminal of its own: what is typed to it, and what its screen shows. */
public final class PseudoTerminal implements AutoCloseable {

    public static final char CTRL_C = 3;
    public static final char CTRL_D = 4;

    private static final long PATIENCE_SECONDS = 120;

    private final PtyProcess process;
    private final ScreenTerminal screen;
    private final StringBuilder received = new StringBuilder();
    private final Thread pump;

    public PseudoTerminal(int columns, int rows, Map<String, String> environment, String... command)
            throws IOException {
        Map<String, String> all = new HashMap<>(System.getenv());
        all.keySet().removeIf(name -> name.startsWith("XLSTM_"));
        all.put("XDG_CONFIG_HOME", "/none");
        all.put("TERM", "xterm-256color");
        all.putAll(environment);
        process = new PtyProcessBuilder(command)
                .setEnvironment(all)
                .setInitialColumns(columns)
                .setInitialRows(rows)
                .start();
        screen = new ScreenTerminal(columns, rows);
        pump = new Thread(this::pump, "pty");
        pump.setDaemon(true);
        pump.start();
    }

    private void pump() {
        char[] piece = new char[4096];
        try (Reader out = new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)) {
            for (int count = out.read(piece); count >= 0; count = out.read(piece)) {
                String text = new String(piece, 0, count);
                synchronized (received) {
                    received.append(text);
                }
                screen.write(text);
                String reply = screen.read(); // terminals are asked what they can
                if (!reply.isEmpty()) {
                    type(reply);
                }
            }
        } catch (IOException e) {
            // the program has ended
        }
    }

    public void type(String keys) throws IOException {
        process.getOutputStream().write(keys.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    public void enter(String line) throws IOException {
        type(line + "\r");
    }

    public void resize(int columns, int rows) {
        screen.setSize(Size.of(columns, rows));
        process.setWinSize(new WinSize(columns, rows));
    }

    /** The lines on the screen, blanks at their ends left out. */
    public String screen() {
        int columns = screen.getColumns();
        int rows = screen.getRows();
        long[] cells = new long[columns * rows];
        screen.dump(cells, new int[2]);
        StringBuilder text = new StringBuilder();
        for (int row = 0; row < rows; row++) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                int c = ScreenTerminal.cellCodePoint(cells[row * columns + column]);
                line.appendCodePoint(c == 0 ? ' ' : c);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString().stripTrailing();
    }

    /** All that was sent to the terminal. */
    public String received() {
        synchronized (received) {
            return received.toString();
        }
    }

    /** Waits for the screen to look as wanted; returns it. */
    public String await(String what, Predicate<String> wanted) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            String shown = screen();
            if (wanted.test(shown)) {
                return shown;
            }
            if (System.nanoTime() > end || !process.isAlive() && !pump.isAlive()) {
                throw new AssertionError("waited for " + what + "; the screen shows\n" + shown);
            }
            Thread.sleep(20);
        }
    }

    public String await(String text) throws InterruptedException {
        return await("'" + text + "'", shown -> shown.contains(text));
    }

    /** Waits for the prompt on the last line. */
    public String awaitPrompt(String prompt) throws InterruptedException {
        return await("prompt " + prompt, shown -> shown.endsWith("\n" + prompt) || shown.equals(prompt));
    }

    public void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** Waits for the program to end; returns its exit code. */
    public int exitCode() throws InterruptedException {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("still running; the screen shows\n" + screen());
        }
        pump.join(5000);
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
