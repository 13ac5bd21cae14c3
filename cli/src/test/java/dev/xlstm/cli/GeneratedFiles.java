package dev.xlstm.cli;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;

import static org.assertj.core.api.Assertions.assertThat;

/** Files of the sources that are written from what the commands declare. */
public final class GeneratedFiles {

    private static final String REWRITE = "rewrite";

    private GeneratedFiles() {}

    /** The program with all of its commands. */
    public static CommandSpec everything() {
        Streams streams = new Streams(System.in, System.out, System.err, List.of());
        return new Cli(streams, new Interruption(), Map.of()).everything();
    }

    /** Fails if a file differs from what it should be; with {@code -Drewrite} writes it instead. */
    public static void check(Path file, String content) throws IOException {
        if (System.getProperty(REWRITE) != null) {
            Files.writeString(file, content);
        }
        List<String> is = Files.exists(file) ? Files.readAllLines(file) : List.of();
        List<String> should = content.lines().toList();
        String difference = Stream.concat(
                        is.stream().filter(line -> !should.contains(line)).map(line -> "- " + line),
                        should.stream().filter(line -> !is.contains(line)).map(line -> "+ " + line))
                .collect(Collectors.joining("\n"));
        assertThat(is.equals(should))
                .as(
                        "%s is not current:\n%s\nTo rewrite it: mvn test -pl cli -am -D%s"
                                + " -Dtest='ConfigurationTest,OptionTablesTest' -Dsurefire.failIfNoSpecifiedTests=false",
                        file, difference, REWRITE)
                .isTrue();
    }
}
