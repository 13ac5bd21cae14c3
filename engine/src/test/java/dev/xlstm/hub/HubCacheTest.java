package dev.xlstm.hub;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.error.NotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class HubCacheTest {

    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final String OTHER = "fedcba9876543210fedcba9876543210fedcba98";

    @TempDir
    Path directory;

    private Path cacheModel(Path hub, String id) throws IOException {
        Path model = hub.resolve("models--" + id.replace("/", "--"));
        Path snapshot = Files.createDirectories(model.resolve("snapshots").resolve(COMMIT));
        Files.createDirectories(model.resolve("refs"));
        Files.writeString(model.resolve("refs").resolve("main"), COMMIT);
        return snapshot;
    }

    private HubCache cache() {
        return HubCache.of(Map.of("HF_HUB_CACHE", directory.toString()));
    }

    /** Expected values: HF_HUB_CACHE of huggingface_hub 2.4 in a process with this environment. */
    @ParameterizedTest
    @CsvSource({
        "HF_HUB_CACHE=/a;HF_HOME=/b, /a",
        "HUGGINGFACE_HUB_CACHE=/a;HF_HOME=/b, /a",
        "HF_HUB_CACHE=/c;HUGGINGFACE_HUB_CACHE=/a, /c",
        "HF_HOME=/b;XDG_CACHE_HOME=/x, /b/hub",
        "XDG_CACHE_HOME=/x, /x/huggingface/hub",
        "HOME=/h, /h/.cache/huggingface/hub",
        "HOME=/h;HF_HOME=~, /h/hub",
        "HOME=/h;HF_HOME=~/c, /h/c/hub",
        "HOME=/h;HF_HOME=$HOME, /h/hub",
        "HOME=/h;HF_HUB_CACHE=${HOME}/c/$NONE, /h/c/$NONE",
        "HOME=/h;HUGGINGFACE_HUB_CACHE=~/c, /h/c",
        "HOME=/h;XDG_CACHE_HOME=$HOME/x, /h/x/huggingface/hub",
        "HOME=/h;HF_HOME=/a~, /a~/hub",
    })
    void findsTheCacheAsHuggingfaceHubDoes(String variables, String expected) {
        Map<String, String> environment = new java.util.HashMap<>();
        for (String variable : variables.split(";")) {
            environment.put(variable.split("=")[0], variable.split("=")[1]);
        }
        assertThat(HubCache.directory(environment)).isEqualTo(Path.of(expected));
    }

    @Test
    void anEmptyVariableCountsAsUnset() {
        assertThat(HubCache.directory(Map.of("HF_HOME", "", "HF_HUB_CACHE", "")))
                .isEqualTo(Path.of(System.getProperty("user.home"), ".cache", "huggingface", "hub"));
    }

    @Test
    void findsTheMainRevision() throws Exception {
        Path snapshot = cacheModel(directory, "NX-AI/xLSTM-7b");
        assertThat(cache().find("NX-AI/xLSTM-7b")).isEqualTo(snapshot);
        assertThat(HubCache.idOf(snapshot)).hasValue("NX-AI/xLSTM-7b");
        assertThat(HubCache.idOf(directory)).isEmpty();
    }

    @Test
    void findsBranchesTagsAndCommits() throws Exception {
        Path main = cacheModel(directory, "a/b");
        Path model = main.getParent().getParent();
        Path other = Files.createDirectories(model.resolve("snapshots").resolve(OTHER));
        Files.writeString(model.resolve("refs").resolve("v1.0"), OTHER);
        Files.createDirectories(model.resolve("refs").resolve("refs").resolve("pr"));
        Files.writeString(model.resolve("refs").resolve("refs").resolve("pr").resolve("1"), OTHER);
        for (String revision : new String[] {"v1.0", "refs/pr/1", OTHER, OTHER.substring(0, 7)}) {
            assertThat(cache().find("a/b@" + revision)).as(revision).isEqualTo(other);
        }
        assertThat(cache().find("a/b@main")).isEqualTo(main);
        assertThatThrownBy(() -> cache().find("a/b@v2"))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("has no revision 'v2'; fetch it: xlstm pull a/b@v2");
    }

    @Test
    void findsSubdirectories() throws Exception {
        Path snapshot = cacheModel(directory, "a/b");
        Path run = Files.createDirectories(snapshot.resolve("runs").resolve("run-1.5"));
        assertThat(cache().find("a/b/runs/run-1.5")).isEqualTo(run);
        assertThat(cache().find("a/b@main/runs/run-1.5")).isEqualTo(run);
        assertThatThrownBy(() -> cache().find("a/b/runs/2"))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining(snapshot.resolve("runs/2") + ": no such directory")
                .hasMessageContaining("xlstm pull a/b/runs/2");
    }

    @Test
    void saysWhereItLookedAndWhatFetchesTheModel() throws Exception {
        assertThatThrownBy(() -> cache().find("a/b"))
                .isInstanceOf(NotFoundException.class)
                .hasMessageStartingWith(directory.resolve("models--a--b") + ": no model a/b in the Hugging Face cache")
                .hasMessageContaining("xlstm pull a/b");
        Path model = cacheModel(directory, "a/b").getParent().getParent();
        for (String revision : new String[] {"..", "../../x", "", "fedcba", "a\nb", "x".repeat(300)}) {
            Files.writeString(model.resolve("refs").resolve("main"), revision);
            assertThatThrownBy(() -> cache().find("a/b"))
                    .isInstanceOf(NotFoundException.class)
                    .hasMessageContaining("fetch the model again");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../b", "a/..", "a/b/../c", "/a/b", "a/", "a b/c", "a/b@", "a/b@../c", "a/b@.git", "a", "a/b//c"
            })
    void refusesNamesThatLeaveTheCache(String name) {
        assertThat(HubCache.isName(name)).isFalse();
        assertThatThrownBy(() -> cache().find(name)).isInstanceOf(BadRequestException.class);
    }
}
