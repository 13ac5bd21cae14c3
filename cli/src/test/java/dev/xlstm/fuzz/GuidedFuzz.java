package dev.xlstm.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One target as Jazzer wants it, which watches the branches that an input takes; started by scripts/fuzz-guided. System
 * properties: {@code fuzz.data}, the directory test-data; {@code fuzz.target}; {@code fuzz.corpus}, where seeds go first.
 */
public final class GuidedFuzz {

    private static FuzzTarget target;

    private GuidedFuzz() {}

    /** Called once, before the corpus is read. */
    public static void fuzzerInitialize() throws IOException {
        Path work = Files.createTempDirectory("xlstm-fuzz");
        String name = System.getProperty("fuzz.target");
        target = FuzzTargets.all(Path.of(System.getProperty("fuzz.data")), work).stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no target " + name));
        Path corpus = Files.createDirectories(Path.of(System.getProperty("fuzz.corpus")));
        List<byte[]> seeds = target.seeds();
        for (int i = 0; i < seeds.size(); i++) {
            Files.write(corpus.resolve("seed-" + i), seeds.get(i));
        }
    }

    /** Called for each input; what leaves it is a finding. */
    public static void fuzzerTestOneInput(byte[] input) throws Throwable {
        try {
            target.reader().read(input);
        } catch (Throwable e) {
            if (Fuzzer.problem(e) != null) {
                throw e;
            }
        }
    }
}
