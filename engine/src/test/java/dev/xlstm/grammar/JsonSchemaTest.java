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

    /** Compares membership with divisibility for all integers near the bounds. */
    @Test
    void multiplesAreExact() {
        RandomCases.run(60, random -> {
            int divisor = 1 + random.nextInt(random.nextBoolean() ? 12 : 128);
            divisor *= random.nextBoolean() ? 10 : 1;
            checkMultiples(divisor, random.nextInt(-12_000, 3_000), 300 * divisor);
        });
    }

    private static void checkMultiples(int divisor, int first, int length) {
        int last = Math.min(first + length, 50_000);
        CompiledGrammar compiled = Grammar.ofJsonSchema(String.format(
                        "{\"type\":\"integer\",\"multipleOf\":%d,\"minimum\":%d,\"maximum\":%d}", divisor, first, last))
                .compile(VOCABULARY);
        for (int i = first - 300; i <= last + 300; i++) {
            StackSet position = compiled.start();
            for (char c : Integer.toString(i).toCharArray()) {
                position = position.isEmpty() ? position : compiled.next(position, c);
            }
            assertThat(position.bottom)
                    .as("%d as a multiple of %d in %d..%d", i, divisor, first, last)
                    .isEqualTo(i >= first && i <= last && i % divisor == 0);
        }
    }

    /** Unknown keywords are annotations (draft 2020-12, core 4.3.1). */
    @Test
    void unknownKeywordsAreListedAndIgnored() {
        Grammar grammar = Grammar.ofJsonSchema("""
                {"type": "object", "typ": 1, "x-mine": 2, "description": "d", "additionalItems": false, "then": {},
                 "properties": {"a": {"type": "string", "nullable": true, "typ": 3, "format": "color", "maxLength": 2}}}""");
        assertThat(grammar.ignored()).containsExactly("typ", "nullable", "format \"color\"");
        assertThat(GbnfParserTest.accepts(grammar, "{\"a\":\"bc\"}")).isTrue();
        assertThat(GbnfParserTest.accepts(grammar, "{\"a\":\"bcd\"}")).isFalse();
        assertThat(Grammar.ofJsonSchema("{\"type\":\"null\"}").ignored()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "registry|{\"name\":\"ab\",\"x-size\":10}|{\"x-size\":10}",
                "registry|{\"x-size\":99,\"ab\":\"yes\",\"x-a\":0}|{\"x-size\":100,\"ab\":\"yes\"}",
                "registry|{\"x-size\":11,\"tree\":\"abc\"}|{\"x-size\":11,\"tree\":\"abcd\"}",
                "registry|{\"x-size\":11,\"he\":\"yes\"}|{\"x-size\":11,\"he\":3}", // matches two patterns
                "registry|{\"x-size\":11,\"x-e\":7}|{\"x-size\":11,\"x-e\":\"a\"}",
                "registry|{\"x-size\":11,\"ab\":\"no\",\"cd\":\"no\",\"ef\":\"no\"}"
                        + "|{\"x-size\":11,\"ab\":\"no\",\"cd\":\"no\",\"ef\":\"no\",\"gh\":\"no\"}",
                "registry|{\"x-size\":11,\"ab\":\"no\"}|{\"x-size\":11,\"abc\":\"no\"}", // no pattern matches
                "unique|{\"tags\":[\"c\",\"a\"],\"flags\":[null,false,true],\"days\":[\"tue\",\"sun\"],\"one\":[5]}"
                        + "|{\"tags\":[\"a\",\"a\"],\"flags\":[],\"days\":[\"tue\"],\"one\":[]}",
                "unique|{\"tags\":[1,null,\"b\"],\"flags\":[],\"days\":[\"mon\"],\"one\":[]}"
                        + "|{\"tags\":[1],\"flags\":[],\"days\":[\"mon\"],\"one\":[]}",
            })
    void acceptsAsTheNewerKeywordsSay(String name, String valid, String invalid) throws IOException {
        String schema = Files.readString(SCHEMAS.resolve(name + ".json"));
        Grammar grammar = Grammar.ofJsonSchema(schema);
        assertThat(SchemaValidator.complaints(schema, valid)).isEmpty();
        assertThat(GbnfParserTest.accepts(grammar, valid)).as(valid).isTrue();
        assertThat(SchemaValidator.complaints(schema, invalid)).isNotEmpty();
        assertThat(GbnfParserTest.accepts(grammar, invalid)).as(invalid).isFalse();
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
                "{\"multipleOf\":0.01}|schema #: \"multipleOf\" 0.01 is not supported: only integers are",
                "{\"type\":\"integer\",\"multipleOf\":1.5}|schema #: \"multipleOf\" 1.5 is not supported: only integers are",
                "{\"type\":\"integer\",\"multipleOf\":0}|schema #: \"multipleOf\" must be a number above 0, not 0",
                "{\"type\":\"integer\",\"multipleOf\":777}|schema #: \"multipleOf\" 777 is not supported (above 128",
                "{\"type\":\"integer\",\"multipleOf\":9,\"minimum\":1,\"maximum\":8}|schema #: no multiple of 9 is within",
                "{\"properties\":{\"a/b\":{\"not\":{}}}}|schema #/properties/a~1b: the keyword \"not\" is not supported",
                "{\"type\":\"array\",\"uniqueItems\":true}|schema #: \"uniqueItems\" is supported only for items that are",
                "{\"uniqueItems\":true,\"items\":{\"type\":\"string\"}}|schema #: \"uniqueItems\" is supported only for items",
                "{\"uniqueItems\":true,\"minItems\":3,\"items\":{\"type\":\"boolean\"}}|schema #: \"minItems\" 3 is more than the 2",
                "{\"patternProperties\":[]}|schema #: \"patternProperties\" must be an object of schemas",
                "{\"patternProperties\":{\"(\":{}}}|schema #: pattern \"(\", near character 1: a group that is not closed",
                "{\"patternProperties\":{\"a{9000}b{9000}c{9000}\":{}}}|schema #: \"patternProperties\": the patterns are too complex",
                "{\"minProperties\":2}|schema #: no object that can be generated has so many properties",
                "{\"minProperties\":2,\"maxProperties\":1}|schema #: no object that can be generated has so many properties",
                "{\"properties\":{\"a\":{}},\"minProperties\":2}|schema #: no object that can be generated has so many",
                "{\"dependencies\":{\"a\":[\"b\"]}}|schema #: the keyword \"dependencies\" is not supported",
                "{\"propertyNames\":{}}|schema #: the keyword \"propertyNames\" is not supported",
                "{\"contains\":{}}|schema #: the keyword \"contains\" is not supported",
                "{\"if\":{}}|schema #: the keyword \"if\" is not supported",
                "{\"type\":\"text\"}|schema #: \"type\" \"text\" is not a type of JSON Schema",
                "{\"$ref\":\"other.json\"}|schema #: $ref \"other.json\" is not supported",
                "{\"$ref\":\"#/$defs/x\"}|schema #: $ref \"#/$defs/x\" does not resolve",
                "{\"type\":\"string\",\"pattern\":\"(?=a)\"}|schema #: pattern \"(?=a)\", near character 3: \"(?\" other than",
                "{\"type\":\"string\",\"pattern\":\"(a)\\\\1\"}|schema #: pattern \"(a)\\1\", near character 5: \"\\1\" is not supported",
                "{\"type\":\"string\",\"pattern\":\"^a{5}$\",\"maxLength\":3}|schema #: no string satisfies \"pattern\", \"format\" and",
                "{\"type\":\"string\",\"pattern\":\"a\",\"maxLength\":3000}|schema #: \"pattern\", \"format\" and bounds of the length",
                "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}|schema #: no integer is within the bounds",
                "{\"type\":\"number\",\"minimum\":0.5}|schema #: a bound with a fraction (0.5) is not supported",
                "{\"type\":\"integer\",\"minimum\":1e30}|schema #: \"minimum\" 1.0E+30 is not supported",
                "{\"type\":\"string\",\"minLength\":100000}|schema #: \"minLength\" above 10000 is not supported",
                "{\"type\":\"array\",\"minItems\":2,\"maxItems\":1}|schema #: an array cannot have at least 2 and at most 1",
                "{\"required\":[\"a\"],\"additionalProperties\":false}|schema #: the property \"a\" is required but not allowed",
                "{\"enum\":[1],\"type\":\"string\"}|schema #: \"enum\" or \"const\" leaves no value",
                "{\"enum\":[\"a\"],\"pattern\":\"b\"}|schema #: \"pattern\" beside \"enum\" or \"const\" is not supported",
                "{\"enum\":[\"a\"],\"minLength\":2}|schema #: \"enum\" or \"const\" leaves no value",
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
