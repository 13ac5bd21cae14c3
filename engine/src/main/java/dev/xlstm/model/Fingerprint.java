package dev.xlstm.model;

import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Identifies a model, for files that fit one model only, such as states. Equal for the same weights under other names or
 * in other files; different for another format of the weights, which computes other bits.
 *
 * @param hash SHA-256, hexadecimal, of the config's values, the vectors and a few rows of every matrix: detects any
 *     training, but not every single changed weight
 * @param weights format of the blocks' matrices
 */
public record Fingerprint(String hash, String weights) {

    private static final int ROWS = 4; // sampled from a matrix
    private static final int COLUMNS = 64; // sampled from each of these rows

    /** Computes the fingerprint. Reads the vectors and less than a megabyte of the matrices, whatever the size of the model. */
    public static Fingerprint of(XlstmWeights weights) {
        Digest digest = new Digest();
        digest.text(weights.config().toString());
        digest.matrix(weights.embedding());
        for (BlockWeights block : weights.blocks()) {
            block.linears().forEach(digest::linear);
            block.vectors().forEach(digest::vector);
        }
        digest.norm(weights.outNorm());
        digest.linear(weights.head());
        WeightFormat format =
                weights.blocks().getFirst().linears().getFirst().matrix().format();
        return new Fingerprint(digest.hash(), format.toString());
    }

    private static final class Digest {
        private final MessageDigest sha;
        private final float[] sample = new float[COLUMNS];

        Digest() {
            try {
                sha = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError("every Java has SHA-256", e);
            }
        }

        void text(String text) {
            sha.update(text.getBytes(StandardCharsets.UTF_8));
            sha.update((byte) 0);
        }

        void linear(XlstmWeights.Linear linear) {
            matrix(linear.matrix());
            vector(linear.bias());
        }

        void norm(XlstmWeights.Norm norm) {
            if (norm != null) {
                norm.vectors().forEach(this::vector);
            }
        }

        void matrix(WeightMatrix matrix) {
            text(matrix.format() + " " + matrix.rows() + " " + matrix.columns());
            int count = Math.min(COLUMNS, matrix.columns());
            for (int r = 0; r < ROWS; r++) {
                long row = (long) r * (matrix.rows() - 1) / (ROWS - 1); // the first, the last and between
                matrix.unpack((int) row, 0, count, sample, 0);
                floats(sample, count);
            }
        }

        private void vector(float[] vector) {
            if (vector != null) {
                floats(vector, vector.length);
            }
        }

        private void floats(float[] values, int count) {
            ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values, 0, count);
            sha.update(bytes);
        }

        String hash() {
            return HexFormat.of().formatHex(sha.digest());
        }
    }
}
