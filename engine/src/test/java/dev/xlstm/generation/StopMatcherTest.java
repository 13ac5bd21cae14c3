package dev.xlstm.generation;

import dev.xlstm.RandomCases;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class StopMatcherTest {

    @Test
    void textIsHeldOnlyWhileItMayBecomeAStopString() {
        StopMatcher matcher = new StopMatcher(List.of("\n\nUser:", "END"));
        assertThat(matcher.append("Hello")).isEqualTo("Hello");
        assertThat(matcher.append(" world\n")).isEqualTo(" world");
        assertThat(matcher.append("\n")).isEmpty();
        assertThat(matcher.append("Use the")).isEqualTo("\n\nUse the");
        assertThat(matcher.append(" E")).isEqualTo(" ");
        assertThat(matcher.append("N")).isEmpty();
        assertThat(matcher.append("DLESS")).isEmpty();
        assertThat(matcher.matched()).isEqualTo("END");
        assertThat(matcher.finish()).isEmpty();
    }

    @Test
    void heldTextComesOutAtTheEnd() {
        StopMatcher matcher = new StopMatcher(List.of("END"));
        assertThat(matcher.append("the EN")).isEqualTo("the ");
        assertThat(matcher.held()).isEqualTo(HeldText.of("EN"));
        assertThat(matcher.finish()).isEqualTo("EN");
        assertThat(matcher.matched()).isNull();
    }

    @Test
    void aCopyGoesItsOwnWay() {
        StopMatcher matcher = new StopMatcher(List.of("END"));
        matcher.append("the E");
        StopMatcher copy = matcher.copy();
        assertThat(matcher.append("ND.")).isEmpty();
        assertThat(matcher.matched()).isEqualTo("END");
        assertThat(copy.matched()).isNull();
        assertThat(copy.append("ast")).isEqualTo("East");
        assertThat(matcher.copy().matched()).isEqualTo("END");
    }

    @Test
    void aRestartInsideAHeldPrefixIsFound() {
        StopMatcher matcher = new StopMatcher(List.of("aab"));
        assertThat(matcher.append("a") + matcher.append("a") + matcher.append("a"))
                .isEqualTo("a");
        assertThat(matcher.append("b")).isEmpty();
        assertThat(matcher.matched()).isEqualTo("aab");
    }

    /** The first place where any string is complete, by looking at every prefix; the longest of those complete there. */
    private static String[] expected(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            String best = null;
            for (String stop : stops) {
                if (text.substring(0, end).endsWith(stop) && (best == null || stop.length() > best.length())) {
                    best = stop;
                }
            }
            if (best != null) {
                return new String[] {text.substring(0, end - best.length()), best};
            }
        }
        return new String[] {text, null};
    }

    @Test
    void aSpecialTokenStopsButDoesNotShow() {
        StopMatcher alone = new StopMatcher(List.of("<|end|>"));
        assertThat(alone.append("see you.")).isEqualTo("see you.");
        assertThat(alone.appendSpecial("<|end|>")).isEmpty();
        assertThat(alone.matched()).isEqualTo("<|end|>");
        StopMatcher longer = new StopMatcher(List.of("you.<|end|><|user|>"));
        assertThat(longer.append("see you.")).isEqualTo("see ");
        assertThat(longer.appendSpecial("<|end|>")).isEmpty();
        assertThat(longer.copy().append("No")).isEqualTo("you.No");
        StopMatcher resumed = new StopMatcher(List.of("you.<|end|><|user|>"));
        assertThat(resumed.append(longer.held())).isEmpty();
        assertThat(resumed.held()).isEqualTo(longer.held());
        assertThat(resumed.appendSpecial("<|user|>")).isEmpty();
        assertThat(resumed.matched()).isEqualTo("you.<|end|><|user|>");
        assertThat(longer.finish()).isEqualTo("you.");
    }

    /** Stop strings meant for text do not see the inside of a special token; spelt out as text, it is text. */
    @Test
    void aSpecialTokenIsOneSymbol() {
        StopMatcher matcher = new StopMatcher(List.of("end", "<|", "|>x"));
        assertThat(matcher.append("a") + matcher.appendSpecial("<|end|>") + matcher.append("x"))
                .isEqualTo("ax");
        assertThat(matcher.matched()).isNull();
        assertThat(matcher.append("b<|end|>")).isEqualTo("b");
        assertThat(matcher.matched()).isEqualTo("<|");
    }

    @Test
    void piecesDoNotMatter() {
        RandomCases.run(2000, StopMatcherTest::checkPieces);
    }

    private static void checkPieces(Random random) {
        String text = randomText(random, random.nextInt(40));
        List<String> stops = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            stops.add(randomText(random, 1 + random.nextInt(5)));
        }
        StopMatcher matcher = new StopMatcher(stops);
        StringBuilder streamed = new StringBuilder();
        for (int at = 0; at < text.length() && matcher.matched() == null; ) {
            int to = Math.min(text.length(), at + 1 + random.nextInt(6));
            streamed.append(matcher.append(text.substring(at, to)));
            at = to;
            if (matcher.matched() == null) {
                String held = text.substring(streamed.length(), at);
                assertThat(held.isEmpty() || stops.stream().anyMatch(stop -> stop.startsWith(held)))
                        .as("held back: '%s' of %s", held, stops)
                        .isTrue();
            }
        }
        streamed.append(matcher.finish());
        assertThat(new String[] {streamed.toString(), matcher.matched()}).isEqualTo(expected(text, stops));
    }

    /** Two letters, so that strings overlap often. */
    private static String randomText(Random random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append(random.nextInt(4) == 0 ? 'b' : 'a');
        }
        return text.toString();
    }
}
