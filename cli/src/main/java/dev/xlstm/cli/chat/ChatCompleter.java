package dev.xlstm.cli.chat;

import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/** Completes commands, and after them names of branches, sessions and settings, and paths. */
final class ChatCompleter implements Completer {

    private static final int MAX_PATHS = 1000;

    private final Supplier<Collection<String>> branches;
    private final Supplier<Collection<String>> sessions;

    ChatCompleter(Supplier<Collection<String>> branches, Supplier<Collection<String>> sessions) {
        this.branches = branches;
        this.sessions = sessions;
    }

    @Override
    public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        if (!line.line().startsWith("/") || line.wordIndex() > 1) {
            return;
        }
        if (line.wordIndex() == 0) {
            add(candidates, SlashCommand.words());
            return;
        }
        switch (line.words().get(0)) {
            case "/switch", "/delete" -> add(candidates, branches.get());
            case "/load" -> add(candidates, sessions.get());
            case "/set" -> add(candidates, ChatSettings.names());
            case "/read", "/save" -> paths(line.word().substring(0, line.wordCursor()), candidates);
            default -> {}
        }
    }

    private static void add(List<Candidate> candidates, Collection<String> words) {
        words.stream().filter(ChatCompleter::isPlain).forEach(word -> candidates.add(new Candidate(word)));
    }

    /** Whether a terminal shows a name as it is: JLine sends the list of candidates unchanged. */
    private static boolean isPlain(String name) {
        return Streams.visible(name).equals(name) && name.indexOf('\n') < 0 && name.indexOf('\t') < 0;
    }

    private static void paths(String typed, List<Candidate> candidates) {
        String parent = typed.substring(0, typed.lastIndexOf('/') + 1);
        String place = parent.startsWith("~/") ? System.getProperty("user.home") + parent.substring(1) : parent;
        try (Stream<Path> files = Files.list(Path.of(place.isEmpty() ? "." : place))) {
            files.filter(file -> isPlain(file.toString())).limit(MAX_PATHS).forEach(file -> {
                boolean directory = Files.isDirectory(file);
                String path = parent + file.getFileName() + (directory ? "/" : "");
                candidates.add(new Candidate(path, path, null, null, null, null, !directory));
            });
        } catch (IOException | InvalidPathException e) {
            // nothing to offer
        }
    }
}
