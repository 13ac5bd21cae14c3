package dev.xlstm.cli.chat;

import dev.xlstm.cli.PseudoTerminal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** {@code xlstm chat} through its launcher on a real pseudo-terminal, with a home of its own. */
abstract class ChatOnTerminal {

    static final String LAUNCHER =
            Path.of("..", "scripts", "xlstm").toAbsolutePath().normalize().toString();

    @TempDir
    Path home;

    PseudoTerminal chat(String... arguments) throws IOException {
        return chat(80, 24, Map.of(), arguments);
    }

    PseudoTerminal chat(int columns, int rows, Map<String, String> environment, String... arguments)
            throws IOException {
        Map<String, String> all = new HashMap<>(environment);
        all.put("XDG_STATE_HOME", home.toString());
        List<String> command = new ArrayList<>(List.of(LAUNCHER, "chat", "--seed", "1"));
        command.addAll(List.of(arguments));
        return new PseudoTerminal(columns, rows, all, command.toArray(String[]::new));
    }

    static int tokens(String screen) {
        Matcher status = Pattern.compile("([\\d,]+) tokens in memory").matcher(screen);
        int tokens = -1;
        while (status.find()) {
            tokens = Integer.parseInt(status.group(1).replace(",", ""));
        }
        return tokens;
    }

    String run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LAUNCHER));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("XDG_STATE_HOME", home.toString());
        Process process = builder.start();
        process.getOutputStream().close(); // or a pipe is waited for
        try (InputStream out = process.getInputStream()) {
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor())
                    .as(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                    .isZero();
            return text;
        }
    }
}
