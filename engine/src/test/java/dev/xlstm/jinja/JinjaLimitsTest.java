package dev.xlstm.jinja;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Tests each limit at its value and one past it. */
class JinjaLimitsTest {

    private static String problem(String template) {
        try {
            Template.parse(template).render(Map.of());
            return "";
        } catch (JinjaException e) {
            return e.getMessage();
        }
    }

    @Test
    void sourceAndRange() {
        String text = "x".repeat(JinjaLimits.SOURCE_CHARS);
        assertThat(problem(text)).isEmpty();
        assertThat(problem(text + "x")).contains("longer than " + JinjaLimits.SOURCE_CHARS);
        assertThat(problem("{{ range(" + JinjaLimits.RANGE + ")|length }}")).isEmpty();
        assertThat(problem("{{ range(" + (JinjaLimits.RANGE + 1) + ")|length }}"))
                .contains("more than " + JinjaLimits.RANGE);
    }

    @Test
    void stepsCharactersAndCalls() {
        Budget budget = new Budget();
        for (long i = 0; i < JinjaLimits.STEPS; i++) {
            budget.step();
        }
        assertThatThrownBy(budget::step)
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining("" + JinjaLimits.STEPS);
        budget.chars(JinjaLimits.CHARS);
        assertThatThrownBy(() -> budget.chars(1))
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining("" + JinjaLimits.CHARS);
        for (int i = 0; i < JinjaLimits.CALLS; i++) {
            budget.enterCall();
        }
        assertThatThrownBy(budget::enterCall)
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining("" + JinjaLimits.CALLS);
    }

    /** A level may count more than once, but never allows more levels than the limit. */
    @ParameterizedTest
    @CsvSource(delimiter = '§', textBlock = """
                    {{ § ( § 1 § ) § }}
                    {{ § [ § 1 § ] § }}
                    {{ § not( § 1 § ) § }}
                    {% set x = § {'a': § 1 § } § %}
                    '' § {% if 1 %} § '' § {% endif %} § ''
                    """)
    void nesting(String before, String open, String middle, String close, String after) {
        int deepest = 0;
        while (deepest <= JinjaLimits.NESTING
                && problem(before + open.repeat(deepest + 1) + middle + close.repeat(deepest + 1) + after)
                        .isEmpty()) {
            deepest++;
        }
        assertThat(deepest).isBetween(JinjaLimits.NESTING / 4, JinjaLimits.NESTING);
    }
}
