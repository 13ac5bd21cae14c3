package dev.xlstm.cell;

import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Vectors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

import static org.assertj.core.api.Assertions.assertThat;

/** The bare cell against the reference's figures: recurrent, and chunkwise for chunks of several lengths. */
class MlstmCellTest {

    @AfterEach
    void useWhatIsFaster() {
        Vectors.force(null);
    }

    static Stream<String> cases() throws Exception {
        try (GoldenFixture golden = new GoldenFixture("kernel-cell")) {
            return golden.json.get("cases").propertyNames().stream().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void bothFormsComputeTheReference(String name) throws Exception {
        try (GoldenFixture golden = new GoldenFixture("kernel-cell")) {
            JsonNode dims = golden.json.get("cases").get(name);
            for (int chunk : new int[] {0, 1, 5, dims.get("chunk_size").asInt(), 64}) {
                Vectors.force(true);
                check(golden, name, dims, chunk);
                Vectors.force(false);
                check(golden, name, dims, chunk);
            }
        }
    }

    /** All heads; a chunk length of 0 means the recurrent step. */
    private static void check(GoldenFixture golden, String name, JsonNode dims, int chunk) {
        int heads = dims.get("NH").asInt();
        int steps = dims.get("T").asInt();
        int dqk = dims.get("DQK").asInt();
        int dv = dims.get("DV").asInt();
        Activations h = new Activations(heads * dv);
        h.ensureRows(steps);
        float eps = (float) golden.json.get("eps").asDouble();
        float scale = (float) (1 / Math.sqrt(dqk));
        MlstmCell cell = new MlstmCell(
                new MlstmCell.Shape(heads, dqk, dv, Math.max(chunk, 1), eps, scale),
                rows(golden.floats(name + ".q"), heads, steps, dqk),
                rows(golden.floats(name + ".k"), heads, steps, dqk),
                rows(golden.floats(name + ".v"), heads, steps, dv),
                rows(golden.floats(name + ".i"), heads, steps, 1),
                rows(golden.floats(name + ".f"), heads, steps, 1),
                h);
        MemorySegment c = segment(golden.floats(name + ".c0"));
        MemorySegment n = segment(golden.floats(name + ".n0"));
        MemorySegment m = segment(golden.floats(name + ".m0"));
        for (int head = 0; head < heads; head++) {
            if (chunk > 0) {
                cell.chunkwise(c, n, m, head, 0, steps);
            }
            for (int t = 0; chunk == 0 && t < steps; t++) {
                cell.step(c, n, m, head, t);
            }
            assertOutputs(golden.floats(name + ".h_float64"), h, dv, head, name + " chunk " + chunk);
            assertState(golden.floats(name + ".state_float64.c"), c, head * dqk * dv, dqk * dv);
            assertState(golden.floats(name + ".state_float64.n"), n, head * dqk, dqk);
            assertThat(Math.abs(m.getAtIndex(ValueLayout.JAVA_FLOAT, head)
                            - golden.floats(name + ".state_float64.m")[head]))
                    .isLessThanOrEqualTo(1e-5f);
        }
    }

    /** The fixture has a head after the other, [heads, steps, width]; the cell wants [steps, heads, width]. */
    private static Activations rows(float[] ofHeads, int heads, int steps, int width) {
        Activations rows = new Activations(heads * width);
        rows.ensureRows(steps);
        for (int head = 0; head < heads; head++) {
            for (int t = 0; t < steps; t++) {
                System.arraycopy(ofHeads, (head * steps + t) * width, rows.data, (t * heads + head) * width, width);
            }
        }
        return rows;
    }

    private static MemorySegment segment(float[] floats) {
        MemorySegment segment = Arena.ofAuto().allocate(4L * floats.length, 4);
        MemorySegment.copy(floats, 0, segment, ValueLayout.JAVA_FLOAT, 0, floats.length);
        return segment;
    }

    /**
     * A read-out whose numerator and denominator both cancel has the reference's own float32 error, which is relative to the
     * largest h of the head.
     */
    private static void assertOutputs(float[] expected, Activations h, int dv, int head, String name) {
        int heads = h.width / dv;
        int steps = expected.length / h.width;
        float scale = 0;
        for (int j = 0; j < steps * dv; j++) {
            scale = Math.max(scale, Math.abs(expected[head * steps * dv + j]));
        }
        for (int j = 0; j < steps * dv; j++) {
            float got = h.data[(j / dv * heads + head) * dv + j % dv];
            float wanted = expected[head * steps * dv + j];
            assertThat(Math.abs(got - wanted))
                    .as("%s head %d h[%d] = %s, not %s", name, head, j, got, wanted)
                    .isLessThanOrEqualTo(2e-5f * scale + 1e-3f * Math.abs(wanted));
        }
    }

    private static void assertState(float[] expected, MemorySegment state, int from, int count) {
        float largest = 0;
        for (int j = from; j < from + count; j++) {
            largest = Math.max(largest, Math.abs(expected[j]));
        }
        for (int j = from; j < from + count; j++) {
            float got = state.getAtIndex(ValueLayout.JAVA_FLOAT, j);
            assertThat(Math.abs(got - expected[j])).isLessThanOrEqualTo(1e-5f * largest);
        }
    }
}
