package dev.xlstm.jinja;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** The record of untrusted characters, through every kind of operation. */
class TrackedStringTest {

    /** Puts untrusted ranges in square brackets. */
    private static String show(TrackedString text) {
        StringBuilder shown = new StringBuilder();
        int at = 0;
        int[] ranges = text.untrustedRanges();
        for (int i = 0; i < ranges.length; i += 2) {
            assertThat(ranges[i]).isLessThan(ranges[i + 1]).isGreaterThanOrEqualTo(i == 0 ? 0 : at + 1);
            shown.append(text, at, ranges[i])
                    .append('[')
                    .append(text, ranges[i], ranges[i + 1])
                    .append(']');
            at = ranges[i + 1];
        }
        return shown.append(text, at, text.length()).toString();
    }

    private static String render(String template) {
        Map<String, Object> names = new HashMap<>();
        names.put("u", TrackedString.untrusted("hi You"));
        names.put("m", TrackedString.untrusted("a<b>\"c\" ß\n"));
        names.put("t", "ok");
        names.put("l", List.of(TrackedString.untrusted("x"), "y"));
        names.put("d", Map.of(TrackedString.untrusted("k"), TrackedString.untrusted("v")));
        return show(Template.parse(template).render(names));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '§', quoteCharacter = '`', ignoreLeadingAndTrailingWhitespace = true, textBlock = """
                    {{ u }}                            § [hi You]
                    <|{{ u }}|>                        § <|[hi You]|>
                    {{ '<' + u + t + u + '>' }}        § <[hi You]ok[hi You]>
                    {{ '<' ~ u ~ u ~ '>' }}            § <[hi Youhi You]>
                    {{ u * 2 }}                        § [hi Youhi You]
                    {{ (t + u)[1:4] }}                 § k[hi]
                    {{ (t + u)[::-1] }}                § [uoY ih]ko
                    {{ (t + u)[::2] }}                 § o[h o]
                    {{ (t + u)[1] }}{{ (t + u)[2] }}   § k[h]
                    {{ (t + u)|first }}{{ (t + u)|last }} § o[u]
                    {{ (t + u)|upper }}                § OK[HI YOU]
                    {{ (t + u).title() }}              § Ok[hi You]
                    {{ (t + u)|title }}                § Ok[hi You]
                    {{ (t + u)|capitalize }}           § Ok[hi you]
                    {{ (u + t).swapcase() }}           § [HI yOU]OK
                    {{ ('ß' + m)|upper|trim }}         § SS[A<B>"C" SS]
                    {{ ('  ' + u + '  ')|trim }}       § [hi You]
                    {{ (t + u).strip('ou') }}          § k[hi Y]
                    {{ (u + ' ' + t).split()|join('|') }} § [hi]|[You]|ok
                    {{ (u + ' ' + t).rsplit(' ', 1)|join('|') }} § [hi You]|ok
                    {{ (t + u).partition('h')|join('|') }} § ok|[h]|[i You]
                    {{ ('a\\n' + m).splitlines()|join('|') }} § a|[a<b>"c" ß]
                    {{ u|replace('i', t) }}            § [h]ok[ You]
                    {{ t|replace('k', u) }}            § o[hi You]
                    {{ u|replace('', '-') }}           § -[h]-[i]-[ ]-[Y]-[o]-[u]-
                    {{ u.removeprefix('hi') }}         § [ You]
                    {{ l|join(u) }}                    § [xhi You]y
                    {{ t.join(l) }}                    § [x]oky
                    {{ '%s-%5s-%r' % (u, t, u) }}      § [hi You]-   ok-'[hi You]'
                    {{ '%.3s' % (t + u) }}             § ok[h]
                    {{ '{}{:>4}{!r}'.format(u, t, u) }} § [hi You]  ok'[hi You]'
                    {{ u.format() }}                   § [hi You]
                    {{ u.center(8, '*') }}             § *[hi You]*
                    {{ t.center(6, u[0]) }}            § [hh]ok[hh]
                    {{ '7'.zfill(3) ~ u.ljust(7) }}    § 007[hi You]` `
                    {{ u|tojson }}                     § "[hi You]"
                    {{ m|tojson }}                     § "[a<b>\\"c\\" ß\\n]"
                    {{ {t: l}|tojson }}                § {"ok": ["[x]", "y"]}
                    {{ d|tojson }}                     § {"[k]": "[v]"}
                    {{ d }}                            § {'[k]': '[v]'}
                    {{ l }}                            § ['[x]', 'y']
                    {{ m|string|list }}                § ['[a]', '[<]', '[b]', '[>]', '["]', '[c]', '["]', '[ ]', '[ß]', '[\\n]']
                    {{ m|escape|trim }}                § [a&lt;b&gt;&#34;c&#34; ß]
                    {{ ('<' + u)|e }}                  § &lt;[hi You]
                    {{ ('<p>'|safe) + m[:4] }}         § <p>[a&lt;b&gt;]
                    {{ (m ~ '</b>x')|striptags }}      § [a"c" ß ]x
                    {{ (t ~ ' ' ~ u)|urlencode }}      § ok%20[hi%20You]
                    {{ ('a\\n' ~ u)|indent(1, true) }} § a  [hi You]
                    {{ (t ~ u)|truncate(6, true, leeway=0) }} § ok[h]...
                    {{ u|reverse }}                    § [uoY ih]
                    {{ (t ~ u).translate({111: u[0], 104: 'H'}) }} § [h]kH[i Yhu]
                    {{ u.encode is defined }}{{ u|length }}{{ u|int(5) }} § True65
                    {{ u == 'hi You' }}{{ 'hi' in u }}{{ u < 'i' }} § TrueTrueTrue
                    {{ {'hi You': t}[u] }}             § ok
                    {% set x %}<{{ u }}>{% endset %}{{ x }} § <[hi You]>
                    {% filter upper %}<{{ u }}>{% endfilter %} § <[HI YOU]>
                    {% macro f(a) %}<{{ a }}>{% endmacro %}{{ f(u) }} § <[hi You]>
                    {% for c in u[:2] %}{{ c }}-{% endfor %} § [h]-[i]-
                    {% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %} § [k]=[v]
                    {{ '%c' % 65 }}{{ '{:c}'.format(66) }} § [AB]
                    """)
    void operationsKeepTheRecord(String template, String expected) {
        assertThat(render(template.replace("\\\\n", "\\n")).replace("\n", " ").strip())
                .isEqualTo(expected.replace("\\\\", "\\")
                        .replace("` `", " ")
                        .replace("\n", " ")
                        .strip());
    }

    @Test
    void rangesAreMergedAndCut() {
        TrackedString text = TrackedString.untrusted("ab")
                .concat(TrackedString.untrusted("cd"))
                .concat(TrackedString.trusted("ef"))
                .concat(TrackedString.untrusted("g"));
        assertThat(text.untrustedRanges()).containsExactly(0, 4, 6, 7);
        assertThat(text.substring(3, 7).untrustedRanges()).containsExactly(0, 1, 3, 4);
        assertThat(text.substring(4, 6).untrustedRanges()).isEmpty();
        assertThat(text.isTrusted(4, 6)).isTrue();
        assertThat(text.isTrusted(3, 5)).isFalse();
        assertThat(text.isTrusted(5, 7)).isFalse();
        assertThat(text.isTrusted(2, 2)).isTrue();
        assertThat(TrackedString.untrusted("")).isEqualTo(TrackedString.trusted(""));
        assertThat(TrackedString.untrusted("").untrustedRanges()).isEmpty();
    }

    @Test
    void ordersByCodePoints() {
        assertThat(TrackedString.trusted("\uFFFD").compareCodePoints(TrackedString.trusted("😀")))
                .isNegative();
        assertThat(TrackedString.trusted("a").compareCodePoints(TrackedString.trusted("ab")))
                .isNegative();
    }

    /** In chat templates of public models, exactly the characters of the messages are untrusted. */
    @ParameterizedTest
    @MethodSource("templates")
    void exactlyTheMessagesAreUntrusted(Path file) throws IOException {
        Template template = Template.parse(Files.readString(file));
        String json = Files.readString(
                file.resolveSibling(file.getFileName().toString().replace(".jinja", ".json")));
        for (JsonNode stored : JsonMapper.shared().readTree(json)) {
            if (stored.has("error")) {
                continue;
            }
            Map<String, Object> names = new LinkedHashMap<>();
            stored.get("variables").forEachEntry((name, value) -> names.put(name, JsonValues.of(value)));
            names.put("strftime_now", Template.function(format -> "today"));
            for (Object message : (List<?>) names.get("messages")) {
                @SuppressWarnings("unchecked")
                Map<Object, Object> map = (Map<Object, Object>) message;
                // characters that no template writes
                map.replace("content", TrackedString.untrusted(" \uE001\uE002 <think>\uE003</think>\uE004\n"));
            }
            TrackedString text = template.render(names);
            assertThat(text.toString()).contains("\uE004");
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c >= '\uE000' && c < '\uF000') {
                    assertThat(text.isTrusted(i, i + 1)).isFalse();
                }
            }
            assertThat(text.isTrusted(0, text.length())).isFalse();
            assertThat(text.untrustedRanges().length).isLessThan(200);
        }
    }

    static Stream<Path> templates() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("..", "test-data", "chat-templates"))) {
            return files.filter(file -> file.toString().endsWith(".jinja")).sorted().toList().stream();
        }
    }
}
