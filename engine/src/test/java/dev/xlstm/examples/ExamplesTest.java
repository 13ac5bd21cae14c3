package dev.xlstm.examples;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Runs the programs of src/examples on the demo model. */
class ExamplesTest {

    private static final String DEMO = "../test-data/demo-model";

    /** What a program prints on stdout. Their classes have no package, so they are found by name. */
    private static String run(String program, String... arguments) throws Exception {
        Method main = Class.forName(program).getMethod("main", String[].class);
        main.setAccessible(true);
        String[] all = Stream.concat(Stream.of(DEMO), Stream.of(arguments)).toArray(String[]::new);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream before = System.out;
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            main.invoke(null, (Object) all);
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void streamTextWritesAStory() throws Exception {
        assertThat(run("StreamText", "Once upon a time")).hasSizeGreaterThan(60).endsWith(System.lineSeparator());
    }

    @Test
    void forkStoryWritesThreeDifferentContinuations() throws Exception {
        String[] continuations = run("ForkStory", "Once upon a time").split("(?m)^[123]: ");
        assertThat(continuations).hasSize(4).doesNotHaveDuplicates();
    }

    @Test
    void chatTurnsAnswersAndUndoes() throws Exception {
        assertThat(run("ChatTurns").lines()).containsExactly("Hi! It is nice to see you.", "A cow moos.", "Hello!");
    }
}
