package dev.xlstm.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(60)
class HubTest {

    private static final int LARGE = 9_000_123; // bytes: nine parts, the last one short

    @TempDir
    private Path cache;

    private HubServer server;
    private byte[] large;

    @BeforeEach
    void serve() throws IOException {
        server = new HubServer();
        large = new byte[LARGE];
        new Random(1).nextBytes(large);
        server.put("config.json", "{}".getBytes()).put("sub/weights.bin", large);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** Counts what arrives; cancels after so many bytes. */
    private static final class Counter implements TransferListener {

        private final AtomicLong bytes = new AtomicLong();
        private final AtomicLong retries = new AtomicLong();
        private final long limit;

        Counter(long limit) {
            this.limit = limit;
        }

        @Override
        public void transferred(RemoteFile file, long count) {
            bytes.addAndGet(count);
        }

        @Override
        public void retry(RemoteFile file, String reason, long waitMillis) {
            retries.incrementAndGet();
        }

        @Override
        public boolean cancelled() {
            return bytes.get() >= limit;
        }
    }

    private Counter fetch(String path) throws IOException, InterruptedException {
        return fetch(path, new Counter(Long.MAX_VALUE));
    }

    private Counter fetch(String path, Counter counter) throws IOException, InterruptedException {
        try (Hub hub = new Hub(server.settings(cache))) {
            RepositoryListing listing = hub.list("org/model", "main", counter);
            hub.fetch(listing, hub.describe(listing, path, counter), counter);
            hub.setRef(listing, "main");
        }
        return counter;
    }

    private Path repository() {
        return cache.resolve("models--org--model");
    }

    private void assertLargeFileIsRight() throws IOException {
        Path link = repository().resolve("snapshots").resolve(HubServer.COMMIT).resolve("sub/weights.bin");
        String hash = HubServer.hash("SHA-256", large);
        assertThat(Files.readSymbolicLink(link)).isEqualTo(Path.of("../../../blobs/" + hash));
        assertThat(HubServer.hash("SHA-256", Files.readAllBytes(link))).isEqualTo(hash);
        try (var blobs = Files.list(repository().resolve("blobs"))) {
            assertThat(blobs.map(path -> path.getFileName().toString()).toList())
                    .containsExactly(hash);
        }
    }

    @Test
    void aLargeFileComesInRangesFromAnotherHostWhichNeverSeesTheToken() throws Exception {
        Counter counter = fetch("sub/weights.bin");
        assertLargeFileIsRight();
        assertThat(counter.bytes.get()).isEqualTo(LARGE);
        assertThat(server.tokensAtContent).isEmpty();
        assertThat(repository().resolve("refs/main")).hasContent(HubServer.COMMIT);
    }

    @Test
    void aSmallFileHasTheNameOfItsGitBlob() throws Exception {
        fetch("config.json");
        Path link = repository().resolve("snapshots").resolve(HubServer.COMMIT).resolve("config.json");
        assertThat(link).hasContent("{}");
        assertThat(Files.readSymbolicLink(link).getFileName().toString())
                .isEqualTo(HubServer.hash("SHA-1", "blob 2\0{}".getBytes()));
    }

    @Test
    void whatIsThereIsNotFetchedAgain() throws Exception {
        fetch("sub/weights.bin");
        server.requests.clear();
        assertThat(fetch("sub/weights.bin").bytes.get()).isZero();
        assertThat(server.requests).noneMatch(request -> request.startsWith("GET /sub"));
    }

    @Test
    void aCancelledTransferGoesOnWhereItStopped() throws Exception {
        for (long limit = 2_000_000; limit < LARGE; limit += 2_500_000) {
            Counter stopped = new Counter(limit);
            assertThatThrownBy(() -> fetch("sub/weights.bin", stopped)).isInstanceOf(CancellationException.class);
            assertThat(repository()
                            .resolve("snapshots")
                            .resolve(HubServer.COMMIT)
                            .resolve("sub"))
                    .doesNotExist();
        }
        server.requests.clear();
        fetch("sub/weights.bin");
        assertLargeFileIsRight();
        assertThat(server.requests.stream()
                        .filter(r -> r.startsWith("GET /sub"))
                        .count())
                .isLessThanOrEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(ints = {100_000, 1_500_000, 3_000_000})
    void connectionsThatBreakAreContinued(int cutAfter) throws Exception {
        server.cutAfter = cutAfter;
        assertThat(fetch("sub/weights.bin").retries.get()).isPositive();
        assertLargeFileIsRight();
    }

    @Test
    void aConnectionThatStallsIsCutAndContinued() throws Exception {
        server.stallAfter = 500_000;
        server.stalls = 2;
        assertThat(fetch("sub/weights.bin").retries.get()).isPositive();
        assertLargeFileIsRight();
    }

    @Test
    void aServerWithoutRangesIsReadFromTheStart() throws Exception {
        server.ignoreRanges = true;
        fetch("sub/weights.bin");
        assertLargeFileIsRight();
    }

    @Test
    void aServerWithoutRangesThatBreaksEachConnectionIsGivenUp() {
        server.ignoreRanges = true;
        server.cutAfter = 3_000_000;
        assertThatThrownBy(() -> fetch("sub/weights.bin"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("sub/weights.bin")
                .hasMessageContaining("gave up after");
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 503})
    void anOverloadedServerIsAskedAgain(int status) throws Exception {
        server.failures.set(3);
        server.failureStatus = status;
        assertThat(fetch("sub/weights.bin").retries.get()).isEqualTo(3);
        assertLargeFileIsRight();
    }

    @Test
    void retryAfterIsObeyed() throws Exception {
        server.failures.set(1);
        server.failureStatus = 429;
        server.retryAfter = "1";
        long start = System.nanoTime();
        fetch("config.json");
        assertThat(System.nanoTime() - start).isGreaterThan(1_000_000_000L);
    }

    @Test
    void wrongContentIsFetchedOnceMore() throws Exception {
        server.corruptBodies = 1;
        fetch("sub/weights.bin");
        assertLargeFileIsRight();
    }

    @Test
    void contentThatStaysWrongIsRefusedAndNotKept() throws Exception {
        server.corruptBodies = 1000;
        assertThatThrownBy(() -> fetch("sub/weights.bin"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("did not match its name on the hub");
        try (var blobs = Files.list(repository().resolve("blobs"))) {
            assertThat(blobs.toList()).isEmpty();
        }
    }

    @Test
    void contentThatChangesDuringTheTransferIsFetchedAnew() throws Exception {
        byte[] other = new byte[LARGE - 5];
        new Random(2).nextBytes(other);
        server.cutAfter = 1_200_000;
        server.replacement = other;
        server.replaceAfter = 3;
        fetch("sub/weights.bin");
        large = other;
        Path link = repository().resolve("snapshots").resolve(HubServer.COMMIT).resolve("sub/weights.bin");
        assertThat(HubServer.hash("SHA-256", Files.readAllBytes(link))).isEqualTo(HubServer.hash("SHA-256", other));
    }

    @Test
    void aFileThatIsLargerThanAnnouncedIsRefused() {
        server.announceLess = true;
        assertThatThrownBy(() -> fetch("sub/weights.bin"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("were announced");
    }

    @Test
    void aRenamedRepositoryIsFollowed() throws Exception {
        server.renamedFrom = "old/name";
        try (Hub hub = new Hub(server.settings(cache))) {
            RepositoryListing listing = hub.list("old/name", "main", new Counter(Long.MAX_VALUE));
            assertThat(listing.id()).isEqualTo("org/model");
        }
    }

    @Test
    void aGatedModelSaysWhereToAcceptItsLicence() {
        server.gated = true;
        assertThatThrownBy(() -> fetch("config.json"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("gated")
                .hasMessageContaining("access token")
                .hasMessageNotContaining("hf_secret");
    }

    @Test
    void anUnknownModelIsOneLine() throws Exception {
        try (Hub hub = new Hub(server.settings(cache))) {
            assertThatThrownBy(() -> hub.list("org/none", "main", new Counter(Long.MAX_VALUE)))
                    .isInstanceOf(HubException.class)
                    .hasMessageContaining("org/none@main: not on the hub");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"../evil", "/evil", "a/../../evil", "a\\evil", "C:evil", "a//b", "."})
    void aNameThatLeadsOutOfTheCacheIsRefused(String name) {
        server.put(name, new byte[10]);
        assertThatThrownBy(() -> fetch("config.json"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("not a path inside it");
    }

    @Test
    void offlineMeansOffline() {
        HubSettings on = server.settings(cache);
        HubSettings offline = new HubSettings(on.endpoint(), null, true, cache, 1, on.stall(), on.backOff());
        assertThatThrownBy(() -> new Hub(offline)).hasMessageContaining("HF_HUB_OFFLINE");
        assertThat(server.requests).isEmpty();
    }

    @Test
    void aSparseFileHoldsTheHeaderOfASafetensorsFile() throws Exception {
        Path demo = Path.of("../test-data/fixtures/tiny-f32");
        byte[] weights = Files.readAllBytes(demo.resolve("model.safetensors"));
        server.put("model.safetensors", weights);
        Path target = cache.resolve("header");
        Counter counter = new Counter(Long.MAX_VALUE);
        try (Hub hub = new Hub(server.settings(cache))) {
            RepositoryListing listing = hub.list("org/model", "main", counter);
            hub.fetchHeader(listing, hub.describe(listing, "model.safetensors", counter), target, counter);
        }
        assertThat(Files.size(target)).isEqualTo(weights.length);
        long header = 8
                + java.nio.ByteBuffer.wrap(weights)
                        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                        .getLong();
        assertThat(java.util.Arrays.mismatch(Files.readAllBytes(target), weights))
                .satisfiesAnyOf(
                        at -> assertThat(at).isEqualTo(-1),
                        at -> assertThat((long) at).isGreaterThanOrEqualTo(header));
    }
}
