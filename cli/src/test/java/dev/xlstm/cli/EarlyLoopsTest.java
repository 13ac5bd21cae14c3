package dev.xlstm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The loops that the launcher has the JVM compile early are named in a shell script, where no compiler looks. */
class EarlyLoopsTest {

    private static final List<String> CLASSES = List.of(
            "tensor.F32Matrix",
            "tensor.F16Matrix",
            "tensor.BF16Matrix",
            "tensor.Q8_0Matrix",
            "tensor.Q4_0Matrix",
            "tensor.QuantizedMatrix",
            "tensor.ExactTiles",
            "tensor.TiledProduct",
            "cell.MlstmCell");

    @Test
    void everyPatternNamesMethodsOfTheEngine() throws Exception {
        List<String> methods = CLASSES.stream()
                .flatMap(name -> Arrays.stream(methods(name)).map(method -> name + "::" + method))
                .toList();
        String[] patterns = patterns();
        assertThat(patterns).isNotEmpty();
        for (String pattern : patterns) {
            String regex = Arrays.stream(pattern.split("\\*", -1))
                    .map(Pattern::quote)
                    .reduce((a, b) -> a + ".*" + b)
                    .orElseThrow();
            assertThat(methods).as(pattern).anyMatch(method -> method.matches(regex));
        }
    }

    private static String[] patterns() throws IOException {
        String script = Files.readString(Path.of("../scripts/xlstm"));
        var loop = Pattern.compile("for loop in (.*); do").matcher(script);
        assertThat(loop.find()).isTrue();
        return loop.group(1).split(" ");
    }

    private static String[] methods(String name) {
        try {
            return Arrays.stream(Class.forName("dev.xlstm." + name).getDeclaredMethods())
                    .map(method -> method.getName())
                    .toArray(String[]::new);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
