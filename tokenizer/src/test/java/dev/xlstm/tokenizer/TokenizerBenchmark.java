package dev.xlstm.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * Times loading and encoding; run by hand, with a tokenizer.json and a text file as arguments:
 *
 * <pre>java -cp target/classes:target/test-classes:jackson-core.jar dev.xlstm.tokenizer.TokenizerBenchmark FILE TEXT</pre>
 */
final class TokenizerBenchmark {
    private TokenizerBenchmark() {}

    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[0]);
        Path textFile = Path.of(args[1]);
        String text = Files.readString(textFile);
        double megabytes = Files.size(textFile) / 1e6;

        long cold = System.nanoTime();
        Tokenizer tokenizer = Tokenizer.load(file);
        System.out.printf("load, first time in this JVM: %.0f ms%n", millis(cold));
        cold = System.nanoTime();
        int first = tokenizer.encode("Once upon a time there was a boat.").length;
        System.out.printf("encode %d ids, first time: %.1f ms%n", first, millis(cold));

        double load = Double.MAX_VALUE;
        for (int i = 0; i < 20; i++) {
            long start = System.nanoTime();
            tokenizer = Tokenizer.load(file);
            load = Math.min(load, millis(start));
        }
        System.out.printf("load, best of 20: %.0f ms%n", load);

        for (int i = 0; i < 8; i++) {
            long start = System.nanoTime();
            int[] ids = tokenizer.encode(text);
            double encode = millis(start);
            start = System.nanoTime();
            int chars = tokenizer.decode(ids).length();
            System.out.printf(
                    "%d ids: encode %.1f MB/s, decode %.1f MB/s (%d chars)%n",
                    ids.length, megabytes / encode * 1000, megabytes / millis(start) * 1000, chars);
        }

        Random random = new Random(1);
        for (int length : new int[] {1_000_000, 10_000_000}) {
            StringBuilder letters = new StringBuilder();
            for (int i = 0; i < length; i++) {
                letters.append((char) ('a' + random.nextInt(26)));
            }
            word(tokenizer, "one letter", "a".repeat(length));
            word(tokenizer, "random letters", letters.toString());
            word(tokenizer, "spaces", " ".repeat(length));
        }
    }

    private static void word(Tokenizer tokenizer, String what, String word) {
        long start = System.nanoTime();
        int count = tokenizer.encode(word).length;
        System.out.printf("one word of %d chars, %s: %d ids, %.0f ms%n", word.length(), what, count, millis(start));
    }

    private static double millis(long start) {
        return (System.nanoTime() - start) / 1e6;
    }
}
