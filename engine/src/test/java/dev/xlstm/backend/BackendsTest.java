package dev.xlstm.backend;

import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class BackendsTest {

    private final Fake cpu = new Fake("cpu", true, true);

    @Test
    void autoTakesADeviceWorthTaking() {
        Fake gpu = new Fake("gpu", true, true);
        assertThat(load("auto", gpu, cpu)).isEqualTo("gpu");
        assertThat(load("cpu", gpu, cpu)).isEqualTo("cpu");
    }

    @Test
    void autoPassesOverADeviceNotWorthTakingWhichItsNameStillGets() {
        Fake gpu = new Fake("gpu", false, true);
        assertThat(load("auto", gpu, cpu)).isEqualTo("cpu");
        assertThat(load("gpu", gpu, cpu)).isEqualTo("gpu");
    }

    @Test
    void autoPassesOverADeviceTheModelDoesNotFitButItsNameFails() {
        Fake gpu = new Fake("gpu", true, false);
        assertThat(load("auto", gpu, cpu)).isEqualTo("cpu");
        assertThatThrownBy(() -> load("gpu", gpu, cpu))
                .isInstanceOf(DoesNotFitException.class)
                .hasMessage("too large");
    }

    @Test
    void aBackendThatIsNotThereSaysWhatToDo() {
        assertThatThrownBy(() -> load("gpu", cpu)).hasMessageContaining("TORNADOVM_HOME");
        assertThatThrownBy(() -> load("tpu", cpu)).hasMessageContaining("no backend 'tpu'");
    }

    @Test
    void theCpuIsAmongThoseFoundAndLast() {
        Backend last = Backends.all().getLast();
        assertThat(last.name()).isEqualTo("cpu");
        assertThat(last.obstacle()).isEmpty();
        assertThat(last.devices()).singleElement().satisfies(device -> {
            assertThat(device.memoryBytes()).isGreaterThan(1L << 28);
            assertThat(device.preferred()).isTrue();
        });
    }

    private static String load(String choice, Backend... backends) {
        return Backends.load(List.of(backends), choice, null, 1, LoadProgress.NONE)
                .device();
    }

    private record Fake(String name, boolean preferred, boolean fits) implements Backend {

        @Override
        public Optional<String> obstacle() {
            return Optional.empty();
        }

        @Override
        public List<Device> devices() {
            return List.of(new Device(name, 1, 1, preferred));
        }

        @Override
        public LoadedModel load(XlstmWeights weights, int threads, LoadProgress progress) {
            if (!fits) {
                throw new DoesNotFitException("too large");
            }
            return new LoadedModel() {
                @Override
                public String device() {
                    return name;
                }

                @Override
                public XlstmConfig config() {
                    throw new UnsupportedOperationException();
                }

                @Override
                public int maxRows() {
                    throw new UnsupportedOperationException();
                }

                @Override
                public State newState() {
                    throw new UnsupportedOperationException();
                }

                @Override
                public void forward(Batch batch, float[] logits) {
                    throw new UnsupportedOperationException();
                }

                @Override
                public void close() {}
            };
        }
    }
}
