package dev.xlstm.session;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.TopLogits;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.model.Fingerprint;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.safetensors.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A session on a model that selects logits and writes all of them late, as a device does. */
class TopLogitsTest {

    @TempDir
    private Path directory;

    private interface Action {
        void with(LoadedModel model, GoldenFixture golden) throws Exception;
    }

    private static void load(Action action) throws Exception {
        try (GoldenFixture golden = new GoldenFixture("tiny-long");
                ModelDirectory files = ModelDirectory.open(golden.directory);
                LoadedModel model = new LateModel(new CpuBackend().load(files.weights(), 1))) {
            action.with(model, golden);
        }
    }

    @Test
    void askingForTheLargestChangesNothingElse() throws Exception {
        load((model, golden) -> TopLogitsCheck.run(model, 2000, new Random(1)));
    }

    @Test
    void aStateFileHasTheLogitsThatCameLate() throws Exception {
        load((model, golden) -> {
            try (ModelDirectory files = ModelDirectory.open(golden.directory);
                    Session asking = new Session(model);
                    Session plain = new Session(model);
                    Session other = new Session(model)) {
                Fingerprint fingerprint = Fingerprint.of(files.weights());
                asking.feed(7);
                plain.feed(7);
                plain.logits();
                assertThat(asking.topLogits(3)).isNotNull();
                other.feed(8);
                other.logits(); // writes over what the model had kept
                StateFile.write(directory.resolve("asking"), asking, fingerprint, DType.F32, Map.of());
                StateFile.write(directory.resolve("plain"), plain, fingerprint, DType.F32, Map.of());
                assertThat(directory.resolve("asking")).hasSameBinaryContentAs(directory.resolve("plain"));
            }
        });
    }

    @Test
    void itIsAskedOnlyForAsMuchAsItHasAndForOneIdAtATime() throws Exception {
        load((model, golden) -> {
            try (Session session = new Session(model)) {
                assertThat(session.topLogits(1)).as("nothing to compute").isNull();
                session.feed(1, 2);
                assertThat(session.topLogits(1)).as("two ids").isNull();
                session.logits();
                assertThat(session.topLogits(1)).as("all are there").isNull();
                session.feed(1);
                assertThat(session.topLogits(LateModel.MOST + 1)).isNull();
                assertThat(session.topLogits(LateModel.MOST).size()).isEqualTo(LateModel.MOST);
            }
        });
    }

    @Test
    void aLogitThatIsNotFiniteEndsTheSession() throws Exception {
        load((model, golden) -> {
            try (Session session = new Session(model)) {
                ((LateModel) model).poison = true;
                session.feed(1);
                assertThatThrownBy(() -> session.topLogits(5)).isInstanceOf(NonFiniteException.class);
                assertThatThrownBy(session::logits).isInstanceOf(NonFiniteException.class);
            }
        });
    }

    /** Keeps the logits of its last pass as long as the contract allows. */
    private static final class LateModel implements LoadedModel {

        static final int MOST = 40;

        private final LoadedModel model;
        private final float[] kept;
        private float[] late;
        boolean poison;

        LateModel(LoadedModel model) {
            this.model = model;
            kept = new float[model.config().vocabSize()];
        }

        @Override
        public XlstmConfig config() {
            return model.config();
        }

        @Override
        public int maxRows() {
            return model.maxRows();
        }

        @Override
        public State newState() {
            return model.newState();
        }

        @Override
        public void forward(Batch batch, float[] logits) {
            if (late != logits) {
                finishLogits();
            }
            late = null;
            model.forward(batch, logits);
        }

        @Override
        public int maxTopLogits() {
            return MOST;
        }

        @Override
        public void forward(Batch batch, TopLogits top, float[] logits) {
            if (late != logits) {
                finishLogits();
            }
            model.forward(batch, kept);
            late = logits;
            int[] best = IntStream.range(0, kept.length)
                    .boxed()
                    .sorted(Comparator.comparing((Integer id) -> -kept[id]))
                    .mapToInt(id -> id)
                    .toArray();
            for (int rank = 0; rank < top.size(); rank++) {
                top.ids()[rank] = best[rank];
                top.logits()[rank] = poison ? Float.NaN : kept[best[rank]];
            }
            Arrays.fill(logits, Float.NaN); // nobody may look yet
        }

        @Override
        public void finishLogits() {
            if (late != null) {
                System.arraycopy(kept, 0, late, 0, kept.length);
                late = null;
            }
        }

        @Override
        public void close() {
            model.close();
        }
    }
}
