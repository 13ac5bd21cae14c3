package dev.xlstm.grammar;

import dev.xlstm.RandomCases;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/** Validates texts sampled from schema grammars with an independent validator. */
class JsonSchemaTest {

    static final Path SCHEMAS = Path.of("src/test/resources/schemas");

    private static final TokenTrie VOCABULARY = Vocabularies.json();
    private static final ObjectMapper JSON = new ObjectMapper();

    static Stream<Path> schemas() throws IOException {
        try (Stream<Path> files = Files.list(SCHEMAS)) {
            return files.sorted().toList().stream();
        }
    }

    /** Uniform sampling is the worst model: it visits every path of the grammar, and every string is noise. */
    @ParameterizedTest
    @MethodSource("schemas")
    void sampledTextsAreValid(Path file) throws IOException {
        String schema = Files.readString(file);
        CompiledGrammar grammar = Grammar.ofJsonSchema(schema).compile(VOCABULARY);
        Set<String> texts = new HashSet<>();
        for (int seed = 0; seed < 60; seed++) {
            GrammarMask mask = new GrammarMask(grammar, new int[] {0}, 120 + 10 * seed);
            assertThat(mask.endsWithinBudget()).isTrue();
            String text = Vocabularies.text(Vocabularies.draw(mask, VOCABULARY, new Random(seed)), VOCABULARY);
            assertThat(JSON.readTree(text)).isNotNull();
            assertThat(SchemaValidator.complaints(schema, text)).as(text).isEmpty();
            texts.add(text);
        }
        assertThat(texts).hasSizeGreaterThan(15); // guards against a grammar with few texts
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "person|{\"name\":\"Ada\",\"age\":36}|{\"age\":36,\"name\":\"Ada\"}",
                "person|{\"name\": \"Ada\", \"age\": 130, \"nickname\": null}|{\"name\": \"Ada\", \"age\": 131}",
                "person|{ \"name\": \"é😀\\n\\u00e9\", \"age\": 0 }|{\"name\":\"\",\"age\":0}",
                "tree|{\"value\":1,\"children\":[{\"value\":2},{\"value\":-3,\"children\":[]}]}|{\"value\":1,\"children\":[{}]}",
                "geojson-point|{\"type\":\"Point\",\"coordinates\":[-180.0,12.5,179.999]}|{\"type\":\"Point\",\"coordinates\":[180.5,0]}",
                "event|{\"id\":\"123e4567-e89b-12d3-a456-426614174000\",\"priority\":17,\"start\":\"2024-02-28T23:59:59Z\"}"
                        + "|{\"id\":\"123e4567-e89b-12d3-a456-426614174000\",\"priority\":-1,\"start\":\"2024-02-28T23:59:59Z\"}",
                "settings|{\"known\":\"\",\"knew\":1,\"k\":2}|{\"knew\":1,\"known\":2}",
                "tuple|[\"ab\", -7, true, 1e5]|[\"ab\"]",
                "anything|{\"a\":[1,{\"b\":null}],\"c\":\"\\ud83d\\ude00\"}|\"\\ud83d\"",
                "strings|`{\"word\":\"é\",\"code\":\"AB-09\",\"anywhere\":\"xbbcx\",\"ends\":\"ab\\u0020\",\"escaped\":\"\\\\/Aé\","
                        + "\"exact\":\"\\\"é😀\",\"long\":\"12345678901234567890\"}`|`{\"word\":\"a b\"}`",
            })
    void acceptsValidTextsAndRejectsOthers(String name, String valid, String other) throws IOException {
        Grammar grammar = Grammar.ofJsonSchema(Files.readString(SCHEMAS.resolve(name + ".json")));
        if (name.equals("strings")) {
            // only raw characters and short escapes are generated for patterns
            assertThat(GbnfParserTest.accepts(grammar, valid)).isFalse();
            assertThat(GbnfParserTest.accepts(grammar, valid.replace("\\u0020", " ")))
                    .isTrue();
        } else {
            assertThat(GbnfParserTest.accepts(grammar, valid)).as(valid).isTrue();
        }
        assertThat(GbnfParserTest.accepts(grammar, other)).as(other).isFalse();
    }

    /** Compares membership with the bounds for all integers near them. */
    @Test
    void integerBoundsAreExact() {
        RandomCases.run(200, random -> checkIntegerBounds(random.nextInt(-1200, 1201), random.nextInt(1501)));
        checkIntegerBounds(0, 0);
        checkIntegerBounds(-1, 1);
        checkIntegerBounds(0, 1000);
    }

    private static void checkIntegerBounds(int first, int length) {
        Grammar grammar = Grammar.ofJsonSchema(
                String.format("{\"type\":\"integer\",\"minimum\":%d,\"maximum\":%d}", first, first + length));
        CompiledGrammar compiled = grammar.compile(VOCABULARY);
        for (int i = -1300; i <= 2800; i++) {
            StackSet position = compiled.start();
            for (char c : Integer.toString(i).toCharArray()) {
                position = position.isEmpty() ? position : compiled.next(position, c);
            }
            assertThat(position.bottom)
                    .as("%d in %d..%d", i, first, first + length)
                    .isEqualTo(i >= first && i <= first + length);
        }
    }

    @Test
    void numberBoundsAreExact() {
        RandomCases.run(
                60,
                random -> checkNumberBounds(
                        random.nextInt(-12, 13), random.nextInt(1, 13), random.nextBoolean(), random.nextBoolean()));
    }

    private static void checkNumberBounds(int first, int length, boolean withFirst, boolean withLast) {
        int last = first + length;
        CompiledGrammar compiled = Grammar.ofJsonSchema(String.format(
                        "{\"type\":\"number\",\"%s\":%d,\"%s\":%d}",
                        withFirst ? "minimum" : "exclusiveMinimum",
                        first,
                        withLast ? "maximum" : "exclusiveMaximum",
                        last))
                .compile(VOCABULARY);
        for (int tenths = -260; tenths <= 260; tenths++) {
            BigDecimal value = BigDecimal.valueOf(tenths, 1);
            boolean above = withFirst ? tenths >= 10 * first : tenths > 10 * first;
            boolean below = withLast ? tenths <= 10 * last : tenths < 10 * last;
            StackSet position = compiled.start();
            for (char c : value.toPlainString().toCharArray()) {
                position = position.isEmpty() ? position : compiled.next(position, c);
            }
            assertThat(position.bottom).as("%s", value).isEqualTo(above && below);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{|the JSON Schema is not JSON",
                "[]|a JSON Schema is an object, or true",
                "false|schema #: false allows no value",
                "{\"multipleOf\":3}|schema #: the keyword \"multipleOf\" is not supported",
                "{\"properties\":{\"a/b\":{\"not\":{}}}}|schema #/properties/a~1b: the keyword \"not\" is not supported",
                "{\"type\":\"array\",\"uniqueItems\":true}|schema #: the keyword \"uniqueItems\" is not supported",
                "{\"patternProperties\":{}}|schema #: the keyword \"patternProperties\" is not supported",
                "{\"if\":{}}|schema #: the keyword \"if\" is not supported",
                "{\"typ\":\"string\"}|schema #: the keyword \"typ\" is not supported",
                "{\"type\":\"text\"}|schema #: \"type\" \"text\" is not a type of JSON Schema",
                "{\"$ref\":\"other.json\"}|schema #: $ref \"other.json\" is not supported",
                "{\"$ref\":\"#/$defs/x\"}|schema #: $ref \"#/$defs/x\" does not resolve",
                "{\"type\":\"string\",\"format\":\"duration\"}|schema #: the format \"duration\" is not supported",
                "{\"type\":\"string\",\"pattern\":\"(?=a)\"}|schema #: pattern \"(?=a)\", near character 3: \"(?\" other than",
                "{\"type\":\"string\",\"pattern\":\"(a)\\\\1\"}|schema #: pattern \"(a)\\1\", near character 5: \"\\1\" is not supported",
                "{\"type\":\"string\",\"pattern\":\"a\",\"maxLength\":3}|schema #: more than one of",
                "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}|schema #: no integer is within the bounds",
                "{\"type\":\"number\",\"minimum\":0.5}|schema #: a bound with a fraction (0.5) is not supported",
                "{\"type\":\"integer\",\"minimum\":1e30}|schema #: \"minimum\" 1.0E+30 is not supported",
                "{\"type\":\"string\",\"minLength\":100000}|schema #: \"minLength\" above 10000 is not supported",
                "{\"type\":\"array\",\"minItems\":2,\"maxItems\":1}|schema #: an array cannot have at least 2 and at most 1",
                "{\"required\":[\"a\"],\"additionalProperties\":false}|schema #: the property \"a\" is required but not allowed",
                "{\"enum\":[1],\"type\":\"string\"}|schema #: \"enum\" or \"const\" leaves no value",
                "{\"enum\":[\"a\"],\"minLength\":1}|schema #: \"minLength\" beside \"enum\" or \"const\" is not supported",
                "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}|schema #: \"oneOf\": a value may match alternatives 1 and 2",
                "{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}|schema #: \"oneOf\": a value may match",
                "{\"allOf\":[{\"pattern\":\"a\"},{\"pattern\":\"b\"}]}|schema #: \"pattern\" given twice, differently",
                "{\"allOf\":[{\"$ref\":\"#\"}]}|schema #: $ref or allOf is circular",
                "{\"type\":\"string\",\"allOf\":[{\"type\":\"null\"}]}|schema #: no value has type",
            })
    void errorsNameUnsupportedKeywords(String schema, String message) {
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.ofJsonSchema(schema))
                .withMessageStartingWith(message);
    }

    @Test
    void rejectsSchemasWithoutFiniteTexts() {
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.ofJsonSchema("{\"$ref\":\"#\"}").compile(VOCABULARY))
                .withMessageContaining("left recursion");
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.ofJsonSchema("{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}")
                        .compile(VOCABULARY))
                .withMessageStartingWith("the grammar has no finite text");
    }

    @Test
    void deepAndLargeSchemasAreBounded() {
        String deep = "{\"items\":".repeat(400) + "true" + "}".repeat(400);
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.ofJsonSchema(deep))
                .withMessageContaining("nested deeper than 200");
        String deeper = "{\"items\":".repeat(20_000) + "true" + "}".repeat(20_000);
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.ofJsonSchema(deeper))
                .withMessageContaining("not JSON");
        StringBuilder chain = new StringBuilder("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
        for (int i = 0; i < 3000; i++) {
            chain.append(String.format("\"d%d\":{\"items\":{\"$ref\":\"#/$defs/d%d\"}},", i, i + 1));
        }
        CompiledGrammar chained =
                Grammar.ofJsonSchema(chain + "\"d3000\":{\"type\":\"null\"}}}").compile(VOCABULARY);
        assertThat(chained.start().cost).isEqualTo(2); // []
        StringBuilder many = new StringBuilder("{\"additionalProperties\":false,\"properties\":{");
        for (int i = 0; i < 5000; i++) {
            many.append(String.format("\"p%d\":{\"type\":\"integer\"},", i));
        }
        GrammarMask mask = Vocabularies.mask(Grammar.ofJsonSchema(many + "\"q\":true}}"), VOCABULARY, 60);
        JsonNode drawn =
                JSON.readTree(Vocabularies.text(Vocabularies.draw(mask, VOCABULARY, new Random(4)), VOCABULARY));
        assertThat(drawn.isObject()).isTrue();
    }
}
