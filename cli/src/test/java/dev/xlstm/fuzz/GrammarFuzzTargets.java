package dev.xlstm.fuzz;

import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.grammar.GrammarMask;
import dev.xlstm.grammar.TokenTrie;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** Targets for grammars and schemas, up to the ids they allow. */
final class GrammarFuzzTargets {

    private static final List<String> GBNF_WORDS = List.of(
            "root",
            "::=",
            "|",
            "(",
            ")",
            "[",
            "]",
            "^",
            "-",
            "*",
            "+",
            "?",
            "{",
            "}",
            "{2,9999}",
            "{0,}",
            "\"a\"",
            "\"",
            "\\x00",
            "\\u00e9",
            "\\U0010FFFF",
            "[a-z]",
            "[^\"]",
            "\n",
            "a ::= root\n",
            " a",
            "#",
            ".",
            "\\",
            "ws",
            "root root");
    private static final List<String> SCHEMA_WORDS = List.of(
            "type",
            "object",
            "array",
            "string",
            "integer",
            "number",
            "boolean",
            "null",
            "properties",
            "required",
            "items",
            "prefixItems",
            "minItems",
            "maxItems",
            "enum",
            "const",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
            "#",
            "#/$defs/a",
            "$defs",
            "additionalProperties",
            "minLength",
            "maxLength",
            "pattern",
            "^(a|b)*$",
            "format",
            "date-time",
            "uuid",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "propertyNames",
            "title",
            "description");

    private GrammarFuzzTargets() {}

    static List<FuzzTarget> all(Path data) throws IOException {
        return List.of(grammar(), schema(data));
    }

    private static FuzzTarget grammar() {
        TokenTrie vocabulary = vocabulary();
        return new FuzzTarget(
                "grammar",
                List.of(
                        "root ::= \"yes\" | \"no\" [0-9]{1,3}\n".getBytes(StandardCharsets.UTF_8),
                        "root ::= item+\nitem ::= \"- \" [^\\n]* \"\\n\" | \"(\" item* \")\" # nested\n"
                                .getBytes(StandardCharsets.UTF_8)),
                Mutator.text(GBNF_WORDS),
                input -> write(
                        Grammar.parse(new String(input, StandardCharsets.UTF_8)).compile(vocabulary)));
    }

    private static FuzzTarget schema(Path data) throws IOException {
        TokenTrie vocabulary = vocabulary();
        return new FuzzTarget(
                "schema",
                FuzzTargets.files(data.resolve("../engine/src/test/resources/schemas"), ".json"),
                new JsonMutator(SCHEMA_WORDS),
                input -> write(Grammar.ofJsonSchema(new String(input, StandardCharsets.UTF_8))
                        .compile(vocabulary)));
    }

    /** All bytes, and a few words. */
    private static TokenTrie vocabulary() {
        byte[][] tokens = new byte[262][];
        for (int b = 0; b < 256; b++) {
            tokens[b + 1] = new byte[] {(byte) b};
        }
        String[] words = {"\",\"", "true", "null", "  ", "\":"};
        for (int i = 0; i < words.length; i++) {
            tokens[257 + i] = words[i].getBytes(StandardCharsets.UTF_8);
        }
        return new TokenTrie(tokens);
    }

    /** A random text of a grammar, of 40 tokens if it ends within them. */
    private static void write(CompiledGrammar grammar) {
        GrammarMask mask = new GrammarMask(grammar, new int[] {0}, 40);
        Random random = new Random(1);
        for (int i = 0; i < 40 && !mask.hasEnded(); i++) {
            int from = random.nextInt(262);
            int id = from;
            while (!mask.allows(id % 262) && id < from + 262) {
                id++;
            }
            FuzzTargets.check(id < from + 262, "some id is allowed");
            mask.accept(id % 262);
        }
    }
}
