package dev.xlstm.jinja;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** Compares templates in the formats of public models with the texts that jinja2 renders (render_chat_templates.py). */
class ReferenceTest {

    private static final Path DIRECTORY = Path.of("..", "test-data", "chat-templates");
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 11, 3, 16, 5, 9);

    @Test
    void atLeastTenFormats() throws IOException {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            assertThat(files.filter(file -> file.toString().endsWith(".jinja"))).hasSizeGreaterThan(12);
        }
    }

    @TestFactory
    Stream<DynamicNode> everyStoredRendering() throws IOException {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            return files.filter(file -> file.toString().endsWith(".jinja")).sorted().toList().stream()
                    .map(ReferenceTest::cases);
        }
    }

    private static DynamicNode cases(Path file) {
        String name = file.getFileName().toString().replace(".jinja", "");
        try {
            String source = Files.readString(file);
            JsonNode cases = JsonMapper.shared().readTree(Files.readString(DIRECTORY.resolve(name + ".json")));
            List<DynamicNode> tests = new ArrayList<>();
            cases.forEach(stored ->
                    tests.add(DynamicTest.dynamicTest(stored.get("name").asString(), () -> check(source, stored))));
            assertThat(tests).isNotEmpty();
            return DynamicContainer.dynamicContainer(name, tests);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void check(String source, JsonNode stored) {
        Template template = Template.parse(source);
        Map<String, Object> names = new LinkedHashMap<>();
        stored.get("variables").forEachEntry((name, value) -> names.put(name, JsonValues.of(value)));
        names.put("strftime_now", Template.function(format -> Strftime.format(format, NOW)));
        if (stored.has("error")) {
            JinjaException e = catchThrowableOfType(JinjaException.class, () -> template.render(names));
            assertThat(e).hasMessage(stored.get("error").asString());
            assertThat(e.raisedByTemplate()).isTrue();
        } else {
            assertThat(template.render(names)).hasToString(stored.get("text").asString());
        }
    }
}
