package dev.xlstm.jinja;

import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Small templates with the text that jinja2 renders, or that it fails (render_chat_templates.py). */
class JinjaCasesTest {

    private static final LocalDateTime NOW = LocalDateTime.of(2026, 11, 3, 16, 5, 9);

    @TestFactory
    Stream<DynamicTest> rendersLikeJinja2() throws IOException {
        try (InputStream resource = JinjaCasesTest.class.getResourceAsStream("/jinja/cases.json")) {
            JsonNode table = JsonMapper.shared().readTree(resource);
            JsonNode cases = table.get("cases");
            assertThat(cases.size()).isGreaterThan(1000);
            return cases.valueStream()
                    .map(stored -> DynamicTest.dynamicTest(
                            stored.get("template").asString(), () -> check(stored, table.get("context"))));
        }
    }

    private static void check(JsonNode stored, JsonNode context) {
        Map<String, Object> names = new LinkedHashMap<>();
        context.forEachEntry((name, value) -> names.put(name, JsonValues.of(value)));
        names.put("strftime_now", Template.function(format -> Strftime.format(format, NOW)));
        String source = stored.get("template").asString();
        if (stored.has("error")) {
            assertThatThrownBy(() -> Template.parse(source).render(names)).isInstanceOf(JinjaException.class);
        } else {
            assertThat(Template.parse(source).render(names))
                    .hasToString(stored.get("text").asString());
        }
    }
}
