package dev.xlstm.grammar;

import dev.xlstm.RandomCases;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Compares random small grammars with a backtracking recognizer on all short texts. */
class GrammarLanguageTest {

    private static final String ALPHABET = "abé";

    /** A part of a rule that prints itself as GBNF and computes where its matches may end. */
    private interface Part {
        String gbnf();

        BitSet ends(Language language, String text, int from);
    }

    private record Letters(String text) implements Part {
        @Override
        public String gbnf() {
            return "\"" + text + "\"";
        }

        @Override
        public BitSet ends(Language language, String text, int from) {
            return at(text.startsWith(this.text, from) ? from + this.text.length() : -1);
        }
    }

    private record Class(String members, boolean negated) implements Part {
        @Override
        public String gbnf() {
            return "[" + (negated ? "^" : "") + members + "]";
        }

        @Override
        public BitSet ends(Language language, String text, int from) {
            boolean fits = from < text.length() && members.indexOf(text.charAt(from)) >= 0 != negated;
            return at(fits ? from + 1 : -1);
        }
    }

    private record Row(List<Part> parts) implements Part {
        @Override
        public String gbnf() {
            return parts.stream().map(Part::gbnf).collect(Collectors.joining(" "));
        }

        @Override
        public BitSet ends(Language language, String text, int from) {
            BitSet here = at(from);
            for (Part part : parts) {
                BitSet next = new BitSet();
                here.stream().forEach(i -> next.or(part.ends(language, text, i)));
                here = next;
            }
            return here;
        }
    }

    private record Either(List<Part> parts) implements Part {
        @Override
        public String gbnf() {
            return "(" + parts.stream().map(Part::gbnf).collect(Collectors.joining(" | ")) + ")";
        }

        @Override
        public BitSet ends(Language language, String text, int from) {
            BitSet ends = new BitSet();
            parts.forEach(part -> ends.or(part.ends(language, text, from)));
            return ends;
        }
    }

    private record Times(Part part, int min, int max) implements Part {
        @Override
        public String gbnf() {
            String braces = max < 0 ? "{" + min + ",}" : min == max ? "{" + min + "}" : "{" + min + "," + max + "}";
            return "(" + part.gbnf() + ")" + braces;
        }

        @Override
        public BitSet ends(Language language, String text, int from) {
            BitSet all = new BitSet();
            BitSet here = at(from);
            int rounds = max < 0 ? min + text.length() + 1 : max;
            for (int round = 0; round <= rounds; round++) {
                if (round >= min) {
                    all.or(here);
                }
                BitSet next = new BitSet();
                if (round < rounds) {
                    here.stream().forEach(i -> next.or(part.ends(language, text, i)));
                }
                here = next;
            }
            return all;
        }
    }

    private record Rule(int number) implements Part {
        @Override
        public String gbnf() {
            return "r" + number;
        }

        @Override
        public BitSet ends(Language language, String text, int from) {
            // without left recursion a rule's ends never depend on themselves
            String key = number + "@" + from;
            BitSet known = language.memo.get(key);
            if (known == null) {
                known = language.rules.get(number).ends(language, text, from);
                language.memo.put(key, known);
            }
            return known;
        }
    }

    private static BitSet at(int position) {
        BitSet set = new BitSet();
        if (position >= 0) {
            set.set(position);
        }
        return set;
    }

    private static final class Language {
        private final List<Part> rules = new ArrayList<>();
        private final Map<String, BitSet> memo = new HashMap<>();
        private final Random random;

        Language(long seed) {
            random = new Random(seed);
            int count = 1 + random.nextInt(4);
            for (int i = 0; i < count; i++) {
                rules.add(part(3, count));
            }
        }

        private Part part(int depth, int count) {
            switch (random.nextInt(depth == 0 ? 3 : 7)) {
                case 0:
                    return new Letters("aabébaé".substring(random.nextInt(5)).substring(0, random.nextInt(3)));
                case 1:
                    return new Class(random.nextBoolean() ? "a" : "bé", random.nextBoolean());
                case 2:
                    return new Rule(random.nextInt(count));
                case 3, 4:
                    return new Row(parts(depth, count));
                case 5:
                    return new Either(parts(depth, count));
                default:
                    int min = random.nextInt(3);
                    return new Times(
                            part(depth - 1, count), min, random.nextInt(3) == 0 ? -1 : min + random.nextInt(3));
            }
        }

        private List<Part> parts(int depth, int count) {
            List<Part> parts = new ArrayList<>();
            for (int i = 0; i <= random.nextInt(3); i++) {
                parts.add(part(depth - 1, count));
            }
            return parts;
        }

        String gbnf() {
            StringBuilder text = new StringBuilder("root ::= r0\n");
            for (int i = 0; i < rules.size(); i++) {
                text.append("r")
                        .append(i)
                        .append(" ::= ")
                        .append(rules.get(i).gbnf())
                        .append("\n");
            }
            return text.toString();
        }

        boolean accepts(String text) {
            memo.clear();
            return rules.get(0).ends(this, text, 0).get(text.length());
        }
    }

    private static List<String> textsUpTo(int length) {
        List<String> texts = new ArrayList<>(List.of(""));
        int begin = 0;
        for (int n = 0; n < length; n++) {
            int end = texts.size();
            for (int i = begin; i < end; i++) {
                for (char c : ALPHABET.toCharArray()) {
                    texts.add(texts.get(i) + c);
                }
            }
            begin = end;
        }
        return texts;
    }

    @Test
    void matchesABacktrackingRecognizer() {
        int[] compared = new int[1];
        RandomCases.run(1500, random -> compared[0] += compare(new Language(random.nextLong())) ? 1 : 0);
        assertThat(compared[0]).isGreaterThan(500);
    }

    /** Returns whether the grammar could be compared. */
    private static boolean compare(Language language) {
        TokenTrie vocabulary = Vocabularies.withBytes();
        CompiledGrammar grammar = compileOrNull(language.gbnf(), vocabulary);
        if (grammar == null) {
            return false;
        }
        List<String> texts = textsUpTo(5);
        List<String> accepted = texts.stream().filter(language::accepts).toList();
        for (String text : texts) {
            StackSet position = grammar.start();
            for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
                position = position.isEmpty() ? position : grammar.next(position, b & 0xFF);
            }
            assertThat(position.bottom)
                    .as("\"%s\" in%n%s", text, language.gbnf())
                    .isEqualTo(accepted.contains(text));
            if (position.isEmpty()) {
                assertThat(accepted)
                        .as("\"%s\" cannot be gone on with in%n%s", text, language.gbnf())
                        .noneMatch(longer -> longer.startsWith(text));
            }
        }
        shortestEndings(language, grammar, accepted);
        return true;
    }

    /** Texts sampled with the smallest possible budget are in the language and as short as any text of it. */
    private static void shortestEndings(Language language, CompiledGrammar grammar, List<String> accepted) {
        int least = grammar.start().cost;
        accepted.forEach(
                text -> assertThat(text.getBytes(StandardCharsets.UTF_8).length).isGreaterThanOrEqualTo(least));
        for (int spare = 0; spare < 3; spare++) {
            GrammarMask mask = new GrammarMask(grammar, new int[] {0}, least + spare);
            String text = Vocabularies.text(
                    Vocabularies.draw(mask, grammar.vocabulary(), new Random(spare)), grammar.vocabulary());
            assertThat(text.getBytes(StandardCharsets.UTF_8).length).isBetween(least, least + spare);
            assertThat(text.contains("\uFFFD")).isFalse();
            assertThat(language.accepts(text))
                    .as("\"%s\" in%n%s", text, language.gbnf())
                    .isTrue();
        }
    }

    /** Many random grammars are left-recursive or have no finite text; they are skipped. */
    private static CompiledGrammar compileOrNull(String gbnf, TokenTrie vocabulary) {
        try {
            return Grammar.parse(gbnf).compile(vocabulary);
        } catch (GrammarException e) {
            assertThat(e.getMessage()).containsAnyOf("left recursion", "the grammar has no finite text");
            return null;
        }
    }
}
