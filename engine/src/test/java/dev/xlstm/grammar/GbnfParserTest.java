package dev.xlstm.grammar;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class GbnfParserTest {

    private static final TokenTrie BYTES = Vocabularies.withBytes();

    static boolean accepts(Grammar grammar, String text) {
        CompiledGrammar compiled = grammar.compile(BYTES);
        StackSet position = compiled.start();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            position = compiled.next(position, b & 0xFF);
            if (position.isEmpty()) {
                return false;
            }
        }
        return position.bottom;
    }

    private static void assertLanguage(String gbnf, String accepted, String refused) {
        Grammar grammar = Grammar.parse(gbnf);
        for (String text : accepted.split(",", -1)) {
            assertThat(accepts(grammar, text)).as("\"%s\" in %s", text, gbnf).isTrue();
        }
        for (String text : refused.split(",", -1)) {
            assertThat(accepts(grammar, text)).as("\"%s\" in %s", text, gbnf).isFalse();
        }
    }

    @Test
    void literalsAndEscapes() {
        assertLanguage("root ::= \"a\\n\\t\\r\\\\\\\"\\x41\\u00e9\\U0001F600\"", "a\n\t\r\\\"Aé😀", ",a,A");
        assertLanguage("root ::= \"日本\"", "日本", "日,本");
    }

    @Test
    void classes() {
        assertLanguage("root ::= [a-cx]", "a,b,c,x", "d,-,,ab");
        assertLanguage("root ::= [^a-c\\n]", "d,é,😀,^,-", "a,b,\n,de");
        assertLanguage("root ::= [a-]", "a,-", "b");
        assertLanguage("root ::= [\\]\\[^]", "],[,^", "a,\\");
        assertLanguage("root ::= [à-ü😀-😂]", "à,é,ü,😀,😁,😂", "a,ý,😃");
        assertLanguage("root ::= .", "a,\n,é,😀", ",ab");
    }

    @Test
    void repetitions() {
        assertLanguage("root ::= \"a\"*", ",a,aaaa", "b,ab");
        assertLanguage("root ::= \"a\"+", "a,aaaa", ",b");
        assertLanguage("root ::= \"a\"?", ",a", "aa");
        assertLanguage("root ::= \"ab\"{2}", "abab", ",ab,ababab,aba");
        assertLanguage("root ::= [ab]{1,3}", "a,ab,aba", ",abab");
        assertLanguage("root ::= (\"a\" | \"b\" \"c\"){2,}", "aa,abc,bcbca", "a,bc");
        assertLanguage("root ::= \"a\"{0} \"b\"", "b", "ab");
        assertLanguage("root ::= (\"a\"?){3} (\"b\"*)*", ",a,aaa,aab,bb", "aaaa,ba");
    }

    @Test
    void rulesCommentsAndLineBreaks() {
        assertLanguage("""
                # a comment
                root ::= term ( "+" term # in a group
                    )*   # after a rule
                term ::=
                    [0-9]+ | "(" root ")"
                    | name
                name-2_x ::= "unused"
                name ::= "x" | # may continue
                    "y"\r
                """, "1,12+x,(1+(y))+2", ",+,1+,(1,x y");
    }

    @Test
    void recursionOnTheRightAndInTheMiddle() {
        assertLanguage("root ::= \"a\" root | \"b\"", "b,aab", "a,ba");
        assertLanguage("root ::= \"a\" root \"b\" | \"\"", ",ab,aaabbb", "a,aab,abb,ba");
        assertLanguage("root ::= s \"!\"\ns ::= (\"(\" s \")\")*", "!,()!,(()())()!", "(!,)(!,(()!");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`root ::= a`|line 1, column 10: there is no rule \"a\"",
                "`x ::= \"a\"`|the grammar has no rule \"root\"",
                "``|the grammar has no rule \"root\"",
                "`root := \"a\"`|line 1, column 6: \"::=\" expected after the name \"root\", found \":\"",
                "`root ::= \"a`|line 1, column 10: this literal is not closed on its line",
                "`root ::= [a`|line 1, column 10: this class is not closed on its line",
                "`root ::= [c-a]`|line 1, column 11: this range of characters runs backwards",
                "`root ::= []`|line 1, column 10: this class contains no character",
                "`root ::= (\"a\"`|line 1, column 10: this \"(\" is never closed",
                "`root ::= \"a\" )`|line 1, column 14: the end of the rule expected, found \")\"",
                "`root ::= \"a\"{2`|line 1, column 15: \"}\" expected, found the end of the grammar",
                "`root ::= \"a\"{3,2}`|line 1, column 14: at least 3 and at most 2 repetitions are impossible",
                "`root ::= \"a\"{x}`|line 1, column 14: a number of repetitions expected, found \"x\"",
                "`root ::= \"a\"{99999}`|line 1, column 14: more than 10000 repetitions",
                "`root ::= \"\\q\"`|line 1, column 11: unknown escape",
                "`root ::= \"\\x4\"`|line 1, column 11: 2 hexadecimal digits expected in this escape",
                "`root ::= \"\\uD800\"`|line 1, column 11: U+D800 is not a character",
                "`root ::= \"\\UFFFFFFFF\"`|line 1, column 11: U+7FFFFFFF is not a character",
                "`root ::= *`|line 1, column 10: the end of the rule expected, found \"*\"",
                "`root ::= <[1]>`|line 1, column 10: references to tokens are not supported",
                "`= x`|line 1, column 1: the name of a rule expected, found \"=\"",
            })
    void errorsNameTheLocation(String gbnf, String message) {
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse(gbnf))
                .withMessageStartingWith(message);
    }

    @Test
    void errorsCountLines() {
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse("root ::= a\n# é\na ::= \"é\" ]\n"))
                .withMessageStartingWith("line 3, column 11: the end of the rule expected, found \"]\"");
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse("root ::= \"a\"\nroot ::= \"b\"\n"))
                .withMessage("line 2, column 1: rule \"root\" is defined twice");
    }

    private static void assertLeftRecursive(String gbnf, String way) {
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse(gbnf).compile(BYTES))
                .withMessageContaining("left recursion")
                .withMessageContaining(way);
    }

    @Test
    void leftRecursionIsNamed() {
        assertLeftRecursive("root ::= root \"a\" | \"b\"", "root → root");
        assertLeftRecursive("root ::= \"x\" a\na ::= b \"a\" | \"c\"\nb ::= a \"b\"", "a → b → a");
        assertLeftRecursive("root ::= space root \"a\" | \"b\"\nspace ::= \" \"*", "root → root"); // space is nullable
        assertLeftRecursive("root ::= (\"a\"? root)? \"b\"", "root → root");
    }

    @Test
    void rejectsGrammarsWithoutFiniteTexts() {
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse("root ::= \"a\" root").compile(BYTES))
                .withMessageStartingWith("the grammar has no finite text");
        // an alternative without a finite text is never entered
        Grammar grammar = Grammar.parse("root ::= \"a\" | \"b\" x\nx ::= \"x\" x");
        GrammarMask mask = Vocabularies.mask(grammar, BYTES, 10);
        assertThat(mask.allows('a' + 1)).isTrue();
        assertThat(mask.allows('b' + 1)).isFalse();
    }
}
