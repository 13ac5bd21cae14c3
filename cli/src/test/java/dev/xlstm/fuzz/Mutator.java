package dev.xlstm.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes one input of others. */
public interface Mutator {

    /**
     * @param input to be changed; is left as it is
     * @param other to take pieces from
     */
    byte[] mutate(byte[] input, byte[] other, Random random);

    /** Several changes, mostly one. */
    default Mutator repeatedly() {
        return (input, other, random) -> {
            byte[] changed = input;
            do {
                changed = mutate(changed, other, random);
            } while (changed.length < 1 << 16 && random.nextInt(3) == 0);
            return changed;
        };
    }

    /** One of several ways, each as often as the others. */
    static Mutator anyOf(Mutator... ways) {
        return (input, other, random) -> ways[random.nextInt(ways.length)].mutate(input, other, random);
    }

    /** A number of repetitions: mostly few, at times very many. */
    static int many(Random random) {
        return 1 + random.nextInt(1 << random.nextInt(15));
    }

    /** Without regard to what they mean: bits flipped, pieces cut out, doubled, repeated, taken from elsewhere. */
    static Mutator bytes() {
        return (input, other, random) -> {
            if (input.length == 0) {
                return new byte[] {(byte) random.nextInt()};
            }
            int from = random.nextInt(input.length);
            int to = Math.min(input.length, from + 1 + random.nextInt(1 << random.nextInt(8)));
            byte[] piece = Arrays.copyOfRange(input, from, to);
            switch (random.nextInt(8)) {
                case 0:
                    piece[0] ^= (byte) (1 << random.nextInt(8));
                    return replaced(input, from, to, piece);
                case 1:
                    piece[0] = new byte[] {0, 1, -1, 127, -128, '"', '\n', 27}[random.nextInt(8)];
                    return replaced(input, from, to, piece);
                case 2:
                    random.nextBytes(piece);
                    return replaced(input, from, to, piece);
                case 3:
                    return replaced(input, from, to, new byte[0]);
                case 4:
                    return Arrays.copyOf(input, from);
                case 5:
                    return replaced(input, from, from, piece);
                case 6:
                    return replaced(input, from, from, repeated(piece, many(random)));
                default:
                    if (other.length == 0) {
                        return input;
                    }
                    int begin = random.nextInt(other.length);
                    int end = begin + 1 + random.nextInt(other.length - begin);
                    return replaced(
                            input, from, random.nextBoolean() ? from : to, Arrays.copyOfRange(other, begin, end));
            }
        };
    }

    /** With words of a language, and characters that are often forgotten. */
    static Mutator text(List<String> words) {
        List<String> odd = List.of(
                "\0",
                "\u001b[31m",
                "\u009b2J",
                "\r\n",
                "\u2028",
                "\uFEFF",
                "\uFFFD",
                "\u202e",
                "\u0300",
                "\uFDD0",
                "é",
                "İ",
                "\uD83D\uDE00",
                "\t",
                "\\",
                "\"",
                "'",
                "\\u0000",
                "\\ud800",
                "9223372036854775808",
                "-1",
                "1e999",
                "");
        return (input, other, random) -> {
            int at = random.nextInt(input.length + 1);
            String word = random.nextInt(4) == 0
                    ? odd.get(random.nextInt(odd.size()))
                    : words.get(random.nextInt(words.size()));
            String second = words.get(random.nextInt(words.size()));
            switch (random.nextInt(5)) {
                case 0:
                    return replaced(input, at, at, word.repeat(many(random)).getBytes(StandardCharsets.UTF_8));
                case 1: // brackets and the like around what is there
                    int count = many(random);
                    byte[] open = repeated(word.getBytes(StandardCharsets.UTF_8), count);
                    byte[] close = repeated(second.getBytes(StandardCharsets.UTF_8), count);
                    int end = at + random.nextInt(input.length - at + 1);
                    return replaced(replaced(input, end, end, close), at, at, open);
                case 2:
                    return replaced(input, at, at, (word + second).getBytes(StandardCharsets.UTF_8));
                case 3:
                    int to = Math.min(input.length, at + 1 + random.nextInt(8));
                    return replaced(input, at, to, word.getBytes(StandardCharsets.UTF_8));
                default:
                    return bytes().mutate(input, other, random);
            }
        };
    }

    /** See {@link JsonMutator}. */
    static Mutator json(List<String> words) {
        return new JsonMutator(words);
    }

    private static byte[] replaced(byte[] input, int from, int to, byte[] piece) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(input, 0, from);
        out.writeBytes(piece);
        out.write(input, to, input.length - to);
        return out.toByteArray();
    }

    private static byte[] repeated(byte[] piece, int times) {
        int bounded = Math.min(times, (1 << 20) / Math.max(1, piece.length));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < bounded; i++) {
            out.writeBytes(piece);
        }
        return out.toByteArray();
    }
}
