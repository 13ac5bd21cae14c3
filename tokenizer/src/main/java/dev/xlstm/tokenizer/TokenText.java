package dev.xlstm.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * How the tokens of a vocabulary become text: the decoder of a tokenizer.json, reduced to what each token contributes.
 *
 * @param byteLevel tokens spell bytes in GPT-2's alphabet; the rest does not apply
 * @param steps applied to each token by itself, in order
 * @param metaspace this char is a space; 0 for none
 * @param dropsFirst in the first token of a text, the metaspace is nothing
 * @param byteFallback tokens {@code <0xXX>} are bytes
 * @param separator between two tokens
 * @param leading this char is stripped from the beginning of a text
 * @param leadingCount at most so many times
 */
record TokenText(
        boolean byteLevel,
        List<UnaryOperator<String>> steps,
        char metaspace,
        boolean dropsFirst,
        boolean byteFallback,
        String separator,
        char leading,
        int leadingCount) {

    static final TokenText BYTE_LEVEL = new TokenText(true, List.of(), '\0', false, false, "", '\0', 0);

    /** Tokens as they are spelled, with a space between two: a file without a decoder. */
    static final TokenText SPACED = new TokenText(false, List.of(), '\0', false, false, " ", '\0', 0);

    /** The bytes of a token, without separator. */
    byte[] bytes(String token, boolean first) {
        String text = token;
        for (UnaryOperator<String> step : steps) {
            text = step.apply(text);
        }
        if (metaspace != 0) {
            text = text.replace(String.valueOf(metaspace), first && dropsFirst ? "" : " ");
        }
        int b = byteFallback ? fallbackByte(text) : -1;
        return b < 0 ? text.getBytes(StandardCharsets.UTF_8) : new byte[] {(byte) b};
    }

    /** The byte that a token {@code <0xXX>} stands for, -1 for another token. */
    static int fallbackByte(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 || token.charAt(3) > 0x7F || token.charAt(4) > 0x7F ? -1 : high << 4 | low;
    }

    /** The token that stands for a byte. */
    static String fallbackToken(int b) {
        return String.format("<0x%02X>", b);
    }
}
