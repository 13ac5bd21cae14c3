package dev.xlstm.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class MergerTest {
    /** The definition: merge the leftmost pair of lowest rank until there is none. */
    private static int[] byDefinition(LongMap merges, int[] ids) {
        List<Integer> symbols = new ArrayList<>();
        Arrays.stream(ids).forEach(symbols::add);
        while (true) {
            int best = -1;
            long lowest = Long.MAX_VALUE;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                long merge = merges.get((long) symbols.get(i) << 32 | symbols.get(i + 1));
                if (merge >= 0 && merge < lowest) {
                    lowest = merge;
                    best = i;
                }
            }
            if (best < 0) {
                return symbols.stream().mapToInt(Integer::intValue).toArray();
            }
            symbols.set(best, (int) lowest);
            symbols.remove(best + 1);
        }
    }

    @Test
    void shortAndLongPretokensMergeAsDefined() {
        Random random = new Random(1);
        for (int round = 0; round < 300; round++) {
            LongMap merges = new LongMap(1);
            int symbols = random.nextInt(2, 5);
            int next = symbols;
            List<Integer> ranks = new ArrayList<>();
            for (int rank = 0; rank < 60; rank++) {
                ranks.add(rank);
            }
            java.util.Collections.shuffle(ranks, random); // a longer token may rank before its parts
            for (int rank : ranks) {
                long pair = (long) random.nextInt(next) << 32 | random.nextInt(next);
                if (merges.get(pair) < 0) {
                    merges.put(pair, (long) rank << 32 | next++);
                }
            }
            Merger merger = new Merger(merges);
            for (int length : new int[] {0, 1, 2, 7, 39, 40, 41, 42, 200}) {
                int[] ids = random.ints(length, 0, symbols).toArray();
                int[] expected = byDefinition(merges, ids);
                int count = merger.merge(ids, length);
                assertThat(Arrays.copyOf(ids, count)).isEqualTo(expected);
            }
        }
    }
}
