package dev.xlstm.grammar;

import dev.xlstm.RandomCases;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Compares the automaton of several patterns with java.util.regex on all short strings. */
class RegularLanguagesTest {

    private static final List<String> PARTS =
            List.of("a", "b", "[ab]", "[^a]", ".", "a*", "b+", "(a|bb)", "(ab)?", "a{2,3}", "(b|a*)+", "[a-b]{1,}");

    private static String pattern(Random random) {
        StringBuilder pattern = new StringBuilder(random.nextBoolean() ? "^" : "");
        for (int i = random.nextInt(4); i >= 0; i--) {
            pattern.append(PARTS.get(random.nextInt(PARTS.size())));
        }
        return pattern.append(random.nextBoolean() ? "$" : "").toString();
    }

    private static List<String> strings() {
        List<String> strings = new ArrayList<>(List.of(""));
        for (int i = 0; strings.size() < 400; i++) {
            for (String next : List.of("a", "b", "c")) {
                strings.add(strings.get(i) + next);
            }
        }
        return strings;
    }

    @Test
    void membershipsAreThoseOfThePatterns() {
        RandomCases.run(100, random -> {
            List<String> patterns = List.of(pattern(random), pattern(random), pattern(random));
            RegularLanguages languages = RegularLanguages.of(
                    patterns.stream().map(JsonPattern::parse).toList());
            for (String string : strings()) {
                BitSet expected = new BitSet();
                for (int i = 0; i < patterns.size(); i++) {
                    expected.set(
                            i, Pattern.compile(patterns.get(i)).matcher(string).find());
                }
                assertThat(languages.languagesOf(string))
                        .as("%s in %s", string, patterns)
                        .isEqualTo(expected);
            }
        });
    }

    @Test
    void stringsAreThoseInExactlyTheseLanguages() {
        RandomCases.run(30, random -> {
            List<String> patterns = List.of(pattern(random), pattern(random));
            RegularLanguages languages = RegularLanguages.of(
                    patterns.stream().map(JsonPattern::parse).toList());
            for (BitSet wanted : languages.memberships()) {
                RuleSet rules = new RuleSet();
                RuleBody body = languages.strings(wanted, rules, chars -> chars);
                if (body == null) {
                    assertThat(strings())
                            .noneMatch(string -> languages.languagesOf(string).equals(wanted));
                    continue;
                }
                rules.put("root", RuleBody.sequence(RuleBody.literal("x"), body));
                Grammar grammar = rules.toGrammar("test");
                for (String string : strings()) {
                    assertThat(GbnfParserTest.accepts(grammar, "x" + string))
                            .as("%s in exactly %s of %s", string, wanted, patterns)
                            .isEqualTo(languages.languagesOf(string).equals(wanted));
                }
            }
        });
    }
}
