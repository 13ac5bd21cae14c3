package dev.xlstm.fuzz;

import dev.xlstm.cli.CliFuzzTargets;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Every reader of what comes from outside, and what their targets share. */
final class FuzzTargets {

    private FuzzTargets() {}

    /** All targets; the models that some need are opened on the way and stay open. */
    static List<FuzzTarget> all(Path data, Path work) throws IOException {
        List<FuzzTarget> targets = new ArrayList<>();
        targets.addAll(ModelFuzzTargets.all(data, work));
        targets.addAll(TextFuzzTargets.all(data, work));
        targets.addAll(GrammarFuzzTargets.all(data));
        targets.addAll(StackFuzzTargets.all(data, work));
        targets.addAll(CliFuzzTargets.all(data, work));
        List<FuzzTarget> complete = new ArrayList<>();
        for (FuzzTarget target : targets) {
            List<byte[]> seeds = new ArrayList<>(target.seeds());
            seeds.addAll(files(data.resolve("fuzz").resolve(target.name()), ""));
            complete.add(new FuzzTarget(target.name(), seeds, target.mutator().repeatedly(), target.reader()));
        }
        return complete;
    }

    /** The contents of the files of a directory, if there is one. */
    static List<byte[]> files(Path directory, String suffix) throws IOException {
        List<byte[]> contents = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (Stream<Path> all = Files.list(directory)) {
                for (Path file : all.sorted().toList()) {
                    if (file.toString().endsWith(suffix)) {
                        contents.add(Files.readAllBytes(file));
                    }
                }
            }
        }
        return contents;
    }

    /** Has a model read and write a little. */
    static void speak(TextModel model) {
        try (TextSession session = model.newSession()) {
            int vocab = model.loaded().config().vocabSize();
            session.feed(0, vocab - 1, vocab / 2, 0, 0, 0, 0, 0, 0);
            session.generate(GenerationOptions.defaults().withMaxTokens(2), new GenerationListener() {});
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("it does not hold that " + what);
        }
    }

    static void copy(Path file, Path from) throws IOException {
        Files.copy(from, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
