package dev.xlstm.jinja;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Limits, errors and their messages. JinjaCasesTest and ReferenceTest compare what templates render. */
class TemplateTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{{ 'x' * 1000000000000 }}",
                "{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}",
                "{{ range(1000000000) }}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
                "{% set ns = namespace(l=[]) %}{% for i in range(1000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
                "{{ 10 ** (10 ** 10) }}",
                "{{ '%1000000000000d' % 1 }}",
                "{{ '%.1000000f' % 1 }}",
                "{{ '{:1000000000000}'.format(1) }}",
                "{{ 'x'|center(10000000000) }}",
                "{{ [0] * 100000000000 }}",
                "{{ (1, 2) * 9223372036854775807 }}",
                "{{ 'ab' * 2 ** 64 }}",
                "{{ 'x'|indent(10000000000) }}",
                "{{ [[1]]|tojson(indent=10000000000) }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{{ ('x' * 1000000)|list|join('y' * 1000) }}",
                "{{ range(99999)|batch(1)|list|batch(1, 0)|list|map('list')|list|tojson|replace('', 'x' * 10000) }}",
            })
    void rejectsExcessiveWork(String template) {
        Template parsed = Template.parse(template);
        assertThatThrownBy(() -> parsed.render(Map.of())).isInstanceOf(JinjaException.class);
    }

    @Test
    void hugeIndexIsMissing() {
        String template = "{{ messages | map(attribute='99999999999999999999', default='none') | join }}";
        assertThat(Template.parse(template).render(Map.of("messages", List.of(List.of(1)))))
                .hasToString("none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "-", "1 + ("})
    void parserRejectsDeepNesting(String opening) {
        String template = "{{ " + opening.repeat(100_000) + "1 }}";
        assertThatThrownBy(() -> Template.parse(template).render(Map.of())).isInstanceOf(JinjaException.class);
    }

    @Test
    void parserRejectsDeepBlocks() {
        assertThatThrownBy(() -> Template.parse("{% if 1 %}".repeat(50_000))).isInstanceOf(JinjaException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ messages.append(1) }}",
                "{{ ''.__class__.__mro__ }}",
                "{{ messages.getClass() }}",
                "{{ 'x'.getBytes() }}",
                "{{ messages[0].update({}) }}",
            })
    void onlyListedMembersExist(String template) {
        Map<String, Object> names = Map.of("messages", List.of(Map.of("role", "user")));
        assertThatThrownBy(() -> Template.parse(template).render(names))
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining("has no attribute or item");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '§',
            value = {
                "a{{ b                     § line 1: a tag is not closed by }}",
                "{% if x %}                § line 1: the template ends where {%",
                "{% include 'x' %}         § line 1: {% include %} is not supported",
                "{{ x | nofilter }}        § line 1: no filter named 'nofilter' is known",
                "{{ x is notest }}         § line 1: no test named 'notest' is known",
                "{{ 'x' | wordwrap }}      § line 1: the filter 'wordwrap' is not supported",
                "{{ 'x' | urlize }}        § line 1: the filter 'urlize' is not supported",
                "{{ 'x' | pprint }}        § line 1: the filter 'pprint' is not supported",
                "{{ 'x' | random }}        § line 1: the filter 'random' is not supported",
                "{{ 'x'.encode() }}        § line 1: the method str.encode() is not supported",
                "{{ lipsum() }}            § line 1: the function lipsum() is not supported",
                "{% autoescape true %}{% endautoescape %} § line 1: {% autoescape %} is not supported",
                "{% nope %}                § line 1: the tag {% nope %} is not known",
                "{{ 'a'|upper(1) }}        § line 1: upper() takes at most 0 arguments",
                "{{ 'a'|replace('a') }}    § line 1: replace() needs the argument 'new'",
                "{{ 'a'|trim(char='a') }}  § line 1: trim() takes no argument named 'char'",
                "{{ 'a'|trim('a', chars='a') }} § line 1: trim() has two values for 'chars'",
                "{{ (1] }}                 § line 1: unexpected ']'",
                "{% break %}               § line 1: {% break %} outside of a loop",
                "{% set x.y = 1 %}         § line 1: 'x' is not a namespace: its attributes cannot be set",
                "{{ x.y }}                 § line 1: 'x' is undefined",
                "{{ 'a' + 1 }}             § line 1: '+' does not work on str and int",
                "{{ 1 // 0 }}              § line 1: division by zero",
                "{{ $ }}                   § line 1: cannot read '$ }}'",
                "{# open                   § line 1: a comment is not closed",
                "{% for i in 3 %}{% endfor %} § line 1: cannot loop over a value of type int",
            })
    void errorsNameLineAndCause(String template, String message) {
        assertThatThrownBy(() -> Template.parse(template).render(Map.of()))
                .isInstanceOf(JinjaException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void longChainsDoNotOverflowTheStack() {
        String chain = "{{ 'x'" + "|trim".repeat(100_000) + " }}";
        assertThatThrownBy(() -> Template.parse(chain).render(Map.of())).isInstanceOf(JinjaException.class);
        assertThat(Template.parse("{{ 'x'" + "|trim".repeat(300) + " }}").render(Map.of()))
                .hasToString("x");
    }

    @Test
    void errorGivesTheLineOfTheStatement() {
        Template template = Template.parse("one\n{% if true %}\n\n{{ missing.thing }}\n{% endif %}");
        assertThatThrownBy(() -> template.render(Map.of())).hasMessage("line 4: 'missing' is undefined");
    }
}
