package dev.xlstm.cell;

import dev.xlstm.backend.GoldenFixture;
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
                for (int head = 0; head < dims.get("NH").asInt(); head++) {
                    Vectors.force(true);
                    check(golden, name, dims, head, chunk);
                    Vectors.force(false);
                    check(golden, name, dims, head, chunk);
                }
            }
        }
    }

    /** One head; a chunk length of 0 means the recurrent step. */
    private static void check(GoldenFixture golden, String name, JsonNode dims, int head, int chunk) {
        int steps = dims.get("T").asInt();
        int dqk = dims.get("DQK").asInt();
        int dv = dims.get("DV").asInt();
        float[] q = golden.floats(name + ".q");
        float[] k = golden.floats(name + ".k");
        float[] v = golden.floats(name + ".v");
        float[] i = golden.floats(name + ".i");
        float[] f = golden.floats(name + ".f");
        float[] h = new float[v.length];
        MemorySegment memory = Arena.ofAuto().allocate(4L * (dqk * dv + dqk + 1), 4);
        long nAt = 4L * dqk * dv;
        long mAt = nAt + 4L * dqk;
        MemorySegment.copy(golden.floats(name + ".c0"), head * dqk * dv, memory, ValueLayout.JAVA_FLOAT, 0, dqk * dv);
        MemorySegment.copy(golden.floats(name + ".n0"), head * dqk, memory, ValueLayout.JAVA_FLOAT, nAt, dqk);
        memory.set(ValueLayout.JAVA_FLOAT, mAt, golden.floats(name + ".m0")[head]);

        float eps = (float) golden.json.get("eps").asDouble();
        MlstmCell cell = new MlstmCell(dqk, dv, Math.max(chunk, 1), eps, (float) (1 / Math.sqrt(dqk)));
        int qkAt = head * steps * dqk;
        int vAt = head * steps * dv;
        int gateAt = head * steps;
        if (chunk == 0) {
            for (int t = 0; t < steps; t++) {
                int qk = qkAt + t * dqk;
                cell.step(memory, 0, nAt, mAt, q, k, qk, v, h, vAt + t * dv, i[gateAt + t], f[gateAt + t]);
            }
        } else {
            cell.chunkwise(memory, 0, nAt, mAt, steps, q, k, qkAt, dqk, v, h, vAt, dv, i, f, gateAt, 1);
        }

        float[] expected = golden.floats(name + ".h_float64");
        // a read-out that cancels in num and den can be off by the reference's own float32 error, which is relative to
        // the
        // largest h of the head
        float scale = 0;
        for (int j = 0; j < steps * dv; j++) {
            scale = Math.max(scale, Math.abs(expected[vAt + j]));
        }
        for (int j = 0; j < steps * dv; j++) {
            assertThat(Math.abs(h[vAt + j] - expected[vAt + j]))
                    .as("%s head %d chunk %d h[%d] = %s, not %s", name, head, chunk, j, h[vAt + j], expected[vAt + j])
                    .isLessThanOrEqualTo(2e-5f * scale + 1e-3f * Math.abs(expected[vAt + j]));
        }
        float[] c = golden.floats(name + ".state_float64.c");
        float largest = 0;
        for (int j = 0; j < dqk * dv; j++) {
            largest = Math.max(largest, Math.abs(c[head * dqk * dv + j]));
        }
        for (int j = 0; j < dqk * dv; j++) {
            float got = memory.getAtIndex(ValueLayout.JAVA_FLOAT, j);
            assertThat(Math.abs(got - c[head * dqk * dv + j])).isLessThanOrEqualTo(1e-5f * largest);
        }
        assertThat(Math.abs(memory.get(ValueLayout.JAVA_FLOAT, mAt) - golden.floats(name + ".state_float64.m")[head]))
                .isLessThanOrEqualTo(1e-5f);
    }
}
