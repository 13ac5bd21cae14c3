package dev.xlstm.tokenizer;

import java.util.List;
import java.util.Random;

/** Texts of every kind of character, from a seed: what a user never types and a stranger might. */
final class RandomText {
    private static final List<String> SNIPPETS = List.of(
            "the tide",
            " the",
            "'s",
            "'LL",
            "'re",
            "'ve",
            "'d",
            "'ſ",
            "don't",
            "1234567",
            "٣٤٥",
            "½",
            "Ⅷ",
            "\r\n",
            "\n\n",
            "\t",
            "   ",
            " ",
            " ",
            "\u3000",
            "\u2028",
            "\u0085",
            "\u180e",
            "\u200b",
            "\ufeff",
            "e\u0301",
            "a\u0316\u0301\u0327",
            "각",
            "가\u11a8",
            "ﬁ",
            "Å",
            "Å",
            "漢字",
            "かな",
            "カ\u3099",
            "שָׁלוֹם",
            "नमस्ते",
            "สวัสดี",
            "😀",
            "👩‍👩‍👧",
            "🇳🇱",
            "\u0000",
            "\u001b",
            "\u007f",
            "...",
            "!?",
            "<|",
            "|>",
            "_",
            "ß",
            "İ",
            "ǆ",
            "\ud834\udd5e",
            "\u0344",
            "क़");

    /** Combining marks of Unicode 10 to 16, first and last of each range: the oracle's normaliser knows Unicode 9. */
    private static final int[] NEW_MARKS = {
        0x7FD,
        0x7FD,
        0x897,
        0x89F,
        0x8CA,
        0x8D3,
        0x9FE,
        0x9FE,
        0xC3C,
        0xC3C,
        0xD3B,
        0xD3C,
        0xEBA,
        0xEBA,
        0x1715,
        0x1715,
        0x1ABF,
        0x1ACE,
        0x1DF6,
        0x1DFA,
        0xA82C,
        0xA82C,
        0x10D24,
        0x10D27,
        0x10D69,
        0x10D6D,
        0x10EAB,
        0x10EAC,
        0x10EFD,
        0x10EFF,
        0x10F46,
        0x10F50,
        0x10F82,
        0x10F85,
        0x11070,
        0x11070,
        0x1133B,
        0x1133B,
        0x113CE,
        0x113D0,
        0x1145E,
        0x1145E,
        0x11839,
        0x1183A,
        0x1193D,
        0x1193E,
        0x11943,
        0x11943,
        0x119E0,
        0x119E0,
        0x11A34,
        0x11A34,
        0x11A47,
        0x11A47,
        0x11A99,
        0x11A99,
        0x11D42,
        0x11D42,
        0x11D44,
        0x11D45,
        0x11D97,
        0x11D97,
        0x11F41,
        0x11F42,
        0x1612F,
        0x1612F,
        0x16FF0,
        0x16FF1,
        0x1E08F,
        0x1E08F,
        0x1E130,
        0x1E136,
        0x1E2AE,
        0x1E2AE,
        0x1E2EC,
        0x1E2EF,
        0x1E4EC,
        0x1E4EF,
        0x1E5EE,
        0x1E5EF,
        // letters and digits with compatibility decompositions, and letters with lower-case forms
        0x32FF,
        0x32FF,
        0xA7AE,
        0xA7DC,
        0xA7F1,
        0xA7F4,
        0xAB69,
        0xAB69,
        0x10570,
        0x105BC,
        0x10781,
        0x107BA,
        0x10D50,
        0x10D65,
        0x16D63,
        0x16D6A,
        0x16E40,
        0x16E7F,
        0x1C89,
        0x1C8A,
        0x1C90,
        0x1CBF,
        0x1CCD6,
        0x1CCF9,
        0x1E030,
        0x1E06D,
        0x1FBF0,
        0x1FBF9,
        0x105C9,
        0x105C9,
        0x105E4,
        0x105E4,
        0x11383,
        0x11383,
        0x11385,
        0x11385,
        0x1138E,
        0x1138E,
        0x11391,
        0x11391,
        0x113C5,
        0x113C5,
        0x113C7,
        0x113C8,
        0x11938,
        0x11938,
        0x16121,
        0x16128
    };

    private final Random random;
    private final List<String> tokens;

    /** @param tokens texts to strew in, such as special tokens */
    RandomText(long seed, List<String> tokens) {
        this.random = new Random(seed);
        this.tokens = tokens;
    }

    String next() {
        StringBuilder text = new StringBuilder();
        int parts = random.nextInt(1, 25);
        for (int i = 0; i < parts; i++) {
            switch (random.nextInt(10)) {
                case 0, 1, 2 -> text.append(SNIPPETS.get(random.nextInt(SNIPPETS.size())));
                case 3 -> text.append((char) random.nextInt(0x80));
                case 4 -> text.append((char) random.nextInt(0x300));
                case 5 -> text.appendCodePoint(codePoint(0x3000));
                case 6 -> text.appendCodePoint(codePoint(0x110000));
                case 7 -> text.append(" ".repeat(random.nextInt(1, 30)));
                case 8 ->
                    text.append(
                            String.valueOf((char) random.nextInt(0x300, 0x370)).repeat(random.nextInt(1, 4)));
                default -> text.append(tokens.isEmpty() ? "word" : tokens.get(random.nextInt(tokens.size())));
            }
        }
        return text.toString();
    }

    private int codePoint(int bound) {
        while (true) {
            int codePoint = random.nextInt(bound);
            int type = Character.getType(codePoint);
            if (type != Character.UNASSIGNED
                    && type != Character.SURROGATE
                    && !isNewMark(codePoint)
                    && !isNewPunctuation(codePoint)) {
                return codePoint;
            }
        }
    }

    /** The oracle knows the punctuation of Unicode 8; in these blocks none was added since. */
    private static boolean isNewPunctuation(int codePoint) {
        boolean old = codePoint < 0x600
                || codePoint >= 0x2010 && codePoint <= 0x2E42
                || codePoint >= 0x3000 && codePoint <= 0x30FF
                || codePoint >= 0xFE10 && codePoint <= 0xFF65;
        return !old && CharClass.isPunctuation(codePoint) || codePoint == 0x166D; // punctuation once, now a symbol
    }

    private static boolean isNewMark(int codePoint) {
        for (int i = 0; i < NEW_MARKS.length; i += 2) {
            if (codePoint >= NEW_MARKS[i] && codePoint <= NEW_MARKS[i + 1]) {
                return true;
            }
        }
        return false;
    }
}
