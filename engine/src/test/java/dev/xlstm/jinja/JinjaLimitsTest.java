package dev.xlstm.jinja;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Each limit, at it and one past it. */
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
        budget.make(JinjaLimits.CHARS);
        assertThatThrownBy(() -> budget.make(1))
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining("" + JinjaLimits.CHARS);
        for (int i = 0; i < JinjaLimits.CALLS; i++) {
            budget.enter();
        }
        assertThatThrownBy(budget::enter)
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining("" + JinjaLimits.CALLS);
    }

    /** What one level counts for differs, but none reaches the limit's number of levels and more. */
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
