package dev.xlstm.grammar;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

class GrammarMaskTest {

    private static final int STOP = 0;

    /** The id of a byte in the test vocabulary. */
    private static int id(int b) {
        return b + 1;
    }

    private static void accept(GrammarMask mask, String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            mask.accept(id(b & 0xFF));
        }
    }

    @Test
    void tokensMayCrossRuleBoundaries() {
        TokenTrie vocabulary = Vocabularies.withBytes("ab", "bc", "abc", "abcd", "a\"", "a");
        GrammarMask mask = Vocabularies.mask(Grammar.parse("root ::= x y\nx ::= \"a\"\ny ::= \"bc\""), vocabulary, 9);
        assertThat(List.of(257, 258, 259, 260, 261, 262))
                .filteredOn(mask::allows)
                .containsExactly(257, 259, 262); // ab, abc, and the second a
        assertThat(mask.allows(id('a'))).isTrue();
        mask.accept(257);
        assertThat(mask.allows(258)).isFalse();
        assertThat(mask.allows(STOP)).isFalse();
        assertThat(mask.tokensToEnd()).isEqualTo(1);
        mask.accept(id('c'));
        assertThat(mask.allows(STOP)).isTrue();
        assertThat(mask.canEnd()).isTrue();
        assertThat(mask.hasEnded()).isTrue(); // no continuation
    }

    @Test
    void stopIdIsAllowedOnlyAfterACompleteText() {
        GrammarMask mask = Vocabularies.mask(Grammar.parse("root ::= [0-9]+"), Vocabularies.withBytes("12"), 100);
        assertThat(mask.allows(STOP)).isFalse();
        assertThat(mask.canEnd()).isFalse();
        mask.accept(257);
        assertThat(mask.allows(STOP)).isTrue();
        assertThat(mask.allows(id('7'))).isTrue();
        assertThat(mask.hasEnded()).isFalse();
        mask.accept(STOP);
        assertThat(mask.hasEnded()).isTrue();
        assertThat(mask.allows(id('7'))).isFalse();
    }

    @Test
    void charactersMaySplitAcrossTokens() {
        TokenTrie vocabulary = Vocabularies.withBytes();
        GrammarMask mask = Vocabularies.mask(Grammar.parse("root ::= [é😀] [^a]"), vocabulary, 100);
        assertThat(mask.allows(id(0xC3))).isTrue();
        assertThat(mask.allows(id(0xF0))).isTrue();
        assertThat(mask.allows(id(0xC2))).isFalse();
        accept(mask, "😀");
        for (int b = 0; b < 256; b++) {
            boolean begins = b < 0x80 && b != 'a' || b >= 0xC2 && b <= 0xF4;
            assertThat(mask.allows(id(b))).as("byte %x", b).isEqualTo(begins);
        }
        mask.accept(id(0xED)); // prefix of U+D000 to U+D7FF
        assertThat(mask.allows(id(0x9F))).isTrue();
        assertThat(mask.allows(id(0xA0))).isFalse();
        assertThat(mask.canEnd()).isFalse();
    }

    @Test
    void acceptsExactlyTheUtf8EncodingsOfASet() {
        Grammar any = Grammar.parse("root ::= .");
        CompiledGrammar grammar = any.compile(Vocabularies.withBytes());
        int characters = 0;
        for (int c = 0; c <= Character.MAX_CODE_POINT; c += c < 0x11000 ? 1 : 97) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                StackSet position = grammar.start();
                for (byte b : Character.toString(c).getBytes(StandardCharsets.UTF_8)) {
                    assertThat(position.bottom).isFalse();
                    position = grammar.next(position, b & 0xFF);
                }
                assertThat(position.bottom).as("U+%04X", c).isTrue();
                characters++;
            }
        }
        assertThat(characters).isGreaterThan(70_000);
        for (int[] bad : new int[][] {{0xC0, 0x80}, {0xE0, 0x80}, {0xED, 0xA0}, {0xF0, 0x80}, {0xF4, 0x90}}) {
            assertThat(grammar.next(grammar.next(grammar.start(), bad[0]), bad[1])
                            .isEmpty())
                    .isTrue();
        }
        assertThat(grammar.next(grammar.start(), 0x80).isEmpty()).isTrue();
        assertThat(grammar.next(grammar.start(), 0xF5).isEmpty()).isTrue();
    }

    @Test
    void copiesAreIndependent() {
        GrammarMask mask = Vocabularies.mask(Grammar.parse("root ::= \"ab\" | \"ac\""), Vocabularies.withBytes(), 10);
        accept(mask, "a");
        GrammarMask copy = mask.copy();
        accept(mask, "b");
        assertThat(mask.hasEnded()).isTrue();
        assertThat(copy.hasEnded()).isFalse();
        accept(copy, "c");
        assertThat(copy.hasEnded()).isTrue();
    }

    @Test
    void acceptRejectsIdsThatAreNotAllowed() {
        GrammarMask mask = Vocabularies.mask(Grammar.parse("root ::= \"a\""), Vocabularies.withBytes(), 10);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> mask.accept(id('b')))
                .withMessage("id " + id('b') + " is not what the grammar allows next");
        assertThat(mask.allows(-1)).isFalse();
        assertThat(mask.allows(1_000_000)).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GrammarMask(
                        Grammar.parse("root ::= \"a\"").compile(Vocabularies.withBytes()), new int[] {id('a')}, 1))
                .withMessageContaining("cannot both end the text and be part of it");
    }

    @Test
    void budgetIsKeptWherePossible() {
        TokenTrie vocabulary = Vocabularies.withBytes("((", "))", ")))", "((((", "xx");
        Grammar grammar = Grammar.parse("root ::= \"(\" root \")\" | \"x\"+");
        CompiledGrammar compiled = grammar.compile(vocabulary);
        Random random = new Random(5);
        for (int budget = 1; budget <= 40; budget++) {
            for (int i = 0; i < 20; i++) {
                GrammarMask mask = new GrammarMask(compiled, new int[] {STOP}, budget);
                List<Integer> ids = Vocabularies.draw(mask, vocabulary, random);
                assertThat(ids.size()).isLessThanOrEqualTo(budget);
                assertThat(GbnfParserTest.accepts(grammar, Vocabularies.text(ids, vocabulary)))
                        .isTrue();
            }
        }
    }

    @Test
    void budgetCountsTokensNotBytes() {
        TokenTrie vocabulary = Vocabularies.withBytes("hello", " wor");
        Grammar grammar = Grammar.parse("root ::= \"hello world\" | \"a\"{20}");
        assertThat(Vocabularies.mask(grammar, vocabulary, 4).tokensToEnd()).isEqualTo(4); // hello, wor, l, d
        GrammarMask tight = Vocabularies.mask(grammar, vocabulary, 4);
        assertThat(tight.endsWithinBudget()).isTrue();
        assertThat(tight.allows(257)).isTrue();
        assertThat(tight.allows(id('h'))).isFalse(); // e, l, l, o would exceed the budget
        assertThat(tight.allows(id('a'))).isFalse();
        GrammarMask short_ = Vocabularies.mask(grammar, vocabulary, 3);
        assertThat(short_.endsWithinBudget()).isFalse();
        assertThat(short_.allows(id('a'))).isTrue(); // no completion fits: the budget is ignored
    }

    @Test
    void completionsUseOnlyBytesWithAToken() {
        byte[][] few = new byte[200][];
        few[1] = new byte[] {'a'};
        few[2] = "bc".getBytes(StandardCharsets.UTF_8);
        TokenTrie vocabulary = new TokenTrie(few);
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse("root ::= \"b\"").compile(vocabulary))
                .withMessageContaining("bytes that the vocabulary has no token for");
        GrammarMask mask = Vocabularies.mask(Grammar.parse("root ::= \"a\" | \"ad\" | \"b\""), vocabulary, 5);
        assertThat(mask.allows(2)).isFalse();
        mask.accept(1);
        assertThat(mask.hasEnded()).isTrue();
    }

    @Test
    void nestingStaysWithinTheStackLimit() {
        Grammar grammar = Grammar.parse("root ::= \"[\" root \"]\" | \"x\"");
        GrammarMask mask = Vocabularies.mask(grammar, Vocabularies.withBytes(), 5000);
        int depth = 0;
        while (mask.allows(id('['))) {
            mask.accept(id('['));
            depth++;
        }
        assertThat(depth).isBetween(GrammarLimits.STACK_DEPTH / 2, GrammarLimits.STACK_DEPTH);
        accept(mask, "x" + "]".repeat(depth));
        assertThat(mask.hasEnded()).isTrue();
    }

    @Test
    void tailRecursionIsUnbounded() {
        GrammarMask mask =
                Vocabularies.mask(Grammar.parse("root ::= [a-z] root | \".\""), Vocabularies.withBytes(), 50_000);
        accept(mask, "abc".repeat(3000) + ".");
        assertThat(mask.hasEnded()).isTrue();
    }

    private static void sampleWithin(String gbnf, int seconds) {
        TokenTrie vocabulary = Vocabularies.json();
        assertTimeoutPreemptively(Duration.ofSeconds(seconds), () -> {
            Grammar grammar = Grammar.parse(gbnf);
            GrammarMask mask = Vocabularies.mask(grammar, vocabulary, 200);
            List<Integer> ids = Vocabularies.draw(mask, vocabulary, new Random(1));
            assertThat(GbnfParserTest.accepts(grammar, Vocabularies.text(ids, vocabulary)))
                    .isTrue();
        });
    }

    @Test
    void mergesExponentiallyManyParses() {
        StringBuilder doubling = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < 60; i++) {
            doubling.append(String.format("r%d ::= r%d \"x\" | r%d \"y\" | \"z\"%n", i, i + 1, i + 1));
        }
        doubling.append("r60 ::= \"a\"");
        sampleWithin(doubling.toString(), 60);
        sampleWithin("root ::= \"a\" root \"a\" | \"a\" root \"a\" \"a\" | \"a\"", 60);
        sampleWithin("root ::= (\"a\" | \"aa\" | [a-z]){10,3000} \"!\"", 60);
        sampleWithin("root ::= ((\"a\"*)*)* ((\"b\"?){1000}){1000} \"!\"", 60);
        sampleWithin("root ::= ([a-z ] | [a-z ]+ [a-z ])* [a-z] [a-z ]{18}", 60);
    }

    @Test
    void rejectsGrammarsThatAreTooLarge() {
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse("root ::= \"" + "a".repeat(1 << 20) + "\""))
                .withMessageContaining("the limit is 524288");
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse("root ::= " + "(".repeat(100_000)))
                .withMessageContaining("groups nested deeper than 200");
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse("root ::= \"a\"" + "*".repeat(100_000)))
                .withMessageContaining("repetitions of repetitions");
        StringBuilder many = new StringBuilder("root ::= r0");
        for (int i = 0; i < 100; i++) {
            many.append(String.format("%nr%d ::= [a-c\u00e9]{10000} r%d", i, i + 1));
        }
        assertThatExceptionOfType(GrammarException.class)
                .isThrownBy(() -> Grammar.parse(many + "\nr100 ::= \"a\"").compile(Vocabularies.withBytes()))
                .withMessageContaining("more than 524288 states");
    }
}
