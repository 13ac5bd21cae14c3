package dev.xlstm.chat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The directories of saved sessions: one user at a time, the last one first, nothing left behind. */
class SessionStoreTest {

    @Test
    void aSessionHasOneUserAtATime(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        Path session = store.create();
        try (FileChannel lock = SessionStore.lock(session)) {
            assertThat(lock.isOpen()).isTrue();
            assertThatThrownBy(() -> SessionStore.lock(session))
                    .hasMessage("session " + session.getFileName() + " is in use by another chat");
        }
        SessionStore.lock(session).close();
    }

    @Test
    void chatsThatBeginTogetherHaveSessionsOfTheirOwn(@TempDir Path state) {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        List<Path> sessions = IntStream.range(0, 64)
                .parallel()
                .mapToObj(i -> {
                    try {
                        return store.create();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .toList();
        assertThat(sessions).doesNotHaveDuplicates().allMatch(Files::isDirectory);
    }

    /** What is deleted while someone is about to go on with it is gone for both. */
    @Test
    void deletingAndComingTooLate(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        Path session = store.create();
        Files.writeString(ConversationFile.of(session), "{}");
        SessionStore.lock(session).close();
        SessionStore.delete(session);
        assertThat(session).doesNotExist();
        assertThatThrownBy(() -> SessionStore.lock(session))
                .hasMessage("session " + session.getFileName() + " is gone: it has just been deleted");
    }

    /** Times from years when the clock was wrong do not decide which session is the last. */
    @Test
    void theSessionUsedLastIsTheOneSavedLastWhateverTheClockSays(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        List<Path> sessions = new ArrayList<>();
        for (String time : List.of("2040-01-02T00:00:00Z", "2040-01-01T00:00:00Z", "1970-01-02T00:00:00Z")) {
            Path session = store.create();
            Files.writeString(ConversationFile.of(session), "{}");
            Files.setLastModifiedTime(ConversationFile.of(session), FileTime.from(Instant.parse(time)));
            sessions.add(session);
        }
        assertThat(store.list()).isEqualTo(sessions);
        Path last = sessions.getLast();
        Files.writeString(ConversationFile.of(last), "{} ");
        SessionStore.markUsedLast(last);
        assertThat(store.list()).containsExactly(last, sessions.get(0), sessions.get(1));
        assertThat(store.find("")).isEqualTo(last);
        assertThat(SessionStore.lastUse(sessions.get(0)))
                .isLessThanOrEqualTo(Instant.now().toEpochMilli());
    }

    @Test
    void whatKilledChatsLeftIsSweptAfterADay(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        FileTime longAgo = FileTime.from(Instant.now().minus(Duration.ofDays(3)));
        Path abandoned = store.create();
        Path running = store.create();
        Path saved = store.create();
        Path recent = store.create();
        Files.writeString(saved.resolve("conversation.json"), "{}");
        Path left = Files.createFile(abandoned.resolve("turn-0.safetensors"));
        try (FileChannel lock = SessionStore.lock(running)) {
            assertThat(lock.isOpen()).isTrue();
            for (Path session : List.of(abandoned, running, saved)) {
                Files.setLastModifiedTime(session, longAgo);
            }
            store.create();
            assertThat(left).doesNotExist();
            assertThat(List.of(running, saved, recent)).allMatch(Files::isDirectory);
        }
    }

    @Test
    void sessionsAreFoundByTheBeginningOfTheirId(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        assertThatThrownBy(() -> store.find(null)).hasMessage("no saved session to continue");
        Path first = store.create();
        Path second = store.create();
        assertThat(second).isNotEqualTo(first);
        assertThat(store.list()).isEmpty(); // they hold no conversation yet
        for (Path session : List.of(first, second)) {
            Files.writeString(session.resolve("conversation.json"), "{}");
        }
        assertThat(store.find(second.getFileName().toString())).isEqualTo(second);
        assertThatThrownBy(() -> store.find("2")).hasMessageStartingWith("several sessions match '2'");
        assertThatThrownBy(() -> store.find("x")).hasMessageStartingWith("no session 'x'");
        SessionStore.delete(first);
        assertThat(store.list()).containsExactly(second);
    }

    @Test
    void sessionsAreFoundByTheirNames(@TempDir Path state) throws Exception {
        SessionStore store = SessionStore.ofUser(Map.of("XDG_STATE_HOME", state.toString()));
        Path plain = store.create();
        Path named = store.create();
        String conversation = "{\"version\":2,\"branch\":\"main\",\"branches\":{\"main\":0},"
                + "\"turns\":[{\"id\":0,\"kind\":\"BEGINNING\"}]";
        Files.writeString(ConversationFile.of(plain), conversation + "}");
        Files.writeString(ConversationFile.of(named), conversation + ",\"name\":\"tax return\"}");
        assertThat(store.find("tax return")).isEqualTo(named);
        assertThatThrownBy(() -> store.find("tax")).hasMessageStartingWith("no session 'tax'");
    }
}
