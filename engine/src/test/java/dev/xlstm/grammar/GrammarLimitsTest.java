package dev.xlstm.grammar;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

/** Tests each limit at its value and one past it. */
class GrammarLimitsTest {

    private static final TokenTrie BYTES = Vocabularies.withBytes();

    private static String problem(String gbnf) {
        try {
            Grammar.parse(gbnf).compile(BYTES);
            return "";
        } catch (GrammarException e) {
            return e.getMessage();
        }
    }

    private static String problemOfSchema(String schema) {
        try {
            Grammar.ofJsonSchema(schema).compile(BYTES);
            return "";
        } catch (GrammarException e) {
            return e.getMessage();
        }
    }

    @Test
    void source() {
        String rule = "root ::= \"a\"\n";
        String text = rule + "#".repeat(GrammarLimits.SOURCE - rule.length());
        assertThat(problem(text)).isEmpty();
        assertThat(problem(text + "#")).contains("the limit is " + GrammarLimits.SOURCE);
        String schema = "{}" + " ".repeat(GrammarLimits.SOURCE - 2);
        assertThat(problemOfSchema(schema)).isEmpty();
        assertThat(problemOfSchema(schema + " ")).contains("the limit is " + GrammarLimits.SOURCE);
    }

    /** Naive merging copies the ranges for each new one. */
    @Test
    void largeClassesTakeLittleMemory() {
        StringBuilder chars = new StringBuilder();
        for (int c = 0x4E00; c < 0xD000; c += 2) {
            chars.append((char) c);
        }
        var memory = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        long before = memory.getCurrentThreadAllocatedBytes();
        JsonPattern.parse("^[" + chars + "]$");
        assertThat(memory.getCurrentThreadAllocatedBytes() - before).isLessThan(100 << 20);
    }

    @Test
    void rules() {
        StringBuilder text = new StringBuilder("root::=.\n");
        for (int i = 1; i < GrammarLimits.RULES; i++) {
            text.append(Integer.toString(36 * 36 * 36 * 10 + i, 36)).append("::=.\n");
        }
        assertThat(problem(text.toString())).isEmpty();
        assertThat(problem(text.append("more::=.\n").toString()))
                .contains("more than " + GrammarLimits.RULES + " rules");
    }

    @Test
    void nesting() {
        String open = "(".repeat(GrammarLimits.NESTING);
        String close = ")".repeat(GrammarLimits.NESTING);
        assertThat(problem("root ::= " + open + "\"a\"" + close)).isEmpty();
        assertThat(problem("root ::= (" + open + "\"a\"" + close + ")"))
                .contains("deeper than " + GrammarLimits.NESTING);
        assertThat(problemOfSchema(items(GrammarLimits.NESTING))).isEmpty();
        assertThat(problemOfSchema(items(GrammarLimits.NESTING + 1))).contains("deeper than " + GrammarLimits.NESTING);
        assertThat(problemOfSchema(properties(GrammarLimits.NESTING))).isEmpty();
        assertThat(problemOfSchema(properties(GrammarLimits.NESTING + 1)))
                .contains("deeper than " + GrammarLimits.NESTING);
    }

    private static String items(int depth) {
        return "{\"items\":".repeat(depth) + "true" + "}".repeat(depth);
    }

    private static String properties(int depth) {
        return "{\"properties\":{\"a\":".repeat(depth) + "true" + "}}".repeat(depth);
    }

    @Test
    void repetitions() {
        assertThat(problem("root ::= \"a\"{" + GrammarLimits.REPETITIONS + "}")).isEmpty();
        assertThat(problem("root ::= \"a\"{" + (GrammarLimits.REPETITIONS + 1) + "}"))
                .contains("more than " + GrammarLimits.REPETITIONS + " repetitions");
        assertThat(problemOfSchema("{\"type\":\"string\",\"pattern\":\"^a{" + GrammarLimits.REPETITIONS + "}$\"}"))
                .isEmpty();
        assertThat(problemOfSchema(
                        "{\"type\":\"string\",\"pattern\":\"^a{" + (GrammarLimits.REPETITIONS + 1) + "}$\"}"))
                .contains("more than " + GrammarLimits.REPETITIONS + " repetitions");
    }

    @Test
    void states() {
        String twentyThousand = " \"ab\"{10000}";
        assertThat(problem("root ::=" + twentyThousand.repeat(26))).isEmpty();
        assertThat(problem("root ::=" + twentyThousand.repeat(27))).contains("more than " + GrammarLimits.STATES);
    }

    /** Hostile schemas: each is compiled or rejected quickly. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"$ref\":\"#\"}",
                "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}",
                "{\"allOf\":[{\"$ref\":\"#\"},{\"type\":\"object\"}]}",
                "{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
                "{\"oneOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
                "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
                "{\"type\":\"string\",\"pattern\":\"^(((a{100}){100}){100}){100}$\"}",
                "{\"type\":\"string\",\"pattern\":\"^(a|a)*(a|a)*(a|a)*(a|a)*$\"}",
                "{\"type\":\"string\",\"pattern\":\"^(a*)*$\"}",
                "{\"type\":\"array\",\"minItems\":10000,\"items\":{\"type\":\"array\",\"minItems\":10000}}",
                "{\"patternProperties\":{\"(a+)+$\":{}}}",
                "{\"type\":\"integer\",\"minimum\":-999999999999999,\"maximum\":999999999999999}",
            })
    void bombsFinishQuickly(String schema) {
        String problem = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> problemOfSchema(schema));
        assertThat(problem).doesNotContain("\n").hasSizeLessThan(400);
    }

    /** Each level references the next one twice. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
                    {"allOf":[{"$ref":"#/$defs/%"},{"$ref":"#/$defs/%"}]}
                    {"type":"object","anyOf":[{"$ref":"#/$defs/%"},{"$ref":"#/$defs/%"}]}
                    {"oneOf":[{"$ref":"#/$defs/%"},{"$ref":"#/$defs/%"}]}
                    {"properties":{"a":{"$ref":"#/$defs/%"},"b":{"$ref":"#/$defs/%"}}}
                    {"allOf":[{"properties":{"a":{"$ref":"#/$defs/%"}}},{"properties":{"a":{"allOf":[{"$ref":"#/$defs/%"}]}}}]}
                    {"allOf":[{"items":{"$ref":"#/$defs/%"}},{"items":{"allOf":[{"$ref":"#/$defs/%"}]}}]}
                    """)
    void partsThatDoubleAtEachLevel(String level) {
        StringBuilder definitions = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            definitions.append("\"" + i + "\":" + level.replace("%", "" + (i + 1)) + ",");
        }
        String schema = "{\"$ref\":\"#/$defs/0\",\"$defs\":{" + definitions + "\"60\":{\"type\":\"object\"}}}";
        String problem = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> problemOfSchema(schema));
        assertThat(problem).doesNotContain("\n").hasSizeLessThan(400);
    }

    @Test
    void rejectsManyAlternativesQuickly() {
        StringBuilder many = new StringBuilder("{\"oneOf\":[");
        for (int i = 0; i < 10_000; i++) {
            many.append("{\"const\":\"").append(i).append("\"},");
        }
        String schema = many.append("{\"const\":1}]}").toString();
        String problem = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> problemOfSchema(schema));
        assertThat(problem).hasSizeLessThan(400);
    }

    /** Each alternative is a chain of rules, and the first mask follows all of them. */
    @Test
    void rejectsManyObjectAlternativesQuickly() {
        String one = "{\"required\":[\"a\"]},";
        String schema =
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},"
                        + "\"additionalProperties\":false,\"anyOf\":[" + one.repeat(8_500)
                        + "{\"required\":[\"b\"]}]}";
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            GrammarMask mask = new GrammarMask(Grammar.ofJsonSchema(schema).compile(BYTES), new int[] {0}, 100);
            assertThatThrownBy(() -> {
                        for (int b : "{\"a\":1}".toCharArray()) {
                            assertThat(mask.allows(b + 1)).isTrue();
                            mask.accept(b + 1);
                        }
                    })
                    .isInstanceOf(GrammarException.class)
                    .hasMessageContaining("takes too long");
        });
    }

    /** The shortest text has a million characters: starting takes little time, and what cannot end is rejected. */
    @Test
    void grammarsWithLongShortestTextsStartFast() {
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            CompiledGrammar grammar = Grammar.parse("root ::= a{50}\na ::= b{50}\nb ::= \"a\"{50}")
                    .compile(BYTES);
            GrammarMask mask = new GrammarMask(grammar, new int[] {0}, 200_000);
            for (int i = 0; i < 2000; i++) {
                mask.accept('a' + 1);
                assertThat(mask.tokensToEnd()).isEqualTo(50 * 50 * 50 - i - 1);
            }
        });
        assertThatThrownBy(() -> Grammar.parse("root ::= root \"a\"").compile(BYTES))
                .isInstanceOf(GrammarException.class);
    }
}
