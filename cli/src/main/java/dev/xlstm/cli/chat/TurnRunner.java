package dev.xlstm.cli.chat;

import dev.xlstm.chat.ChatSession;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.Turn;
import dev.xlstm.cli.console.ErrorText;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.Outcome;
import java.io.IOException;
import java.io.Reader;
import java.util.Locale;

/** Runs the turns of a chat: questions and documents go to the model, answers to the terminal, and all to the session. */
final class TurnRunner implements AutoCloseable {

    private final ChatTerminal terminal;
    private final ChatSettings settings;
    private ChatSession session;

    /** @param session closed with this */
    TurnRunner(ChatTerminal terminal, ChatSettings settings, ChatSession session) {
        this.terminal = terminal;
        this.settings = settings;
        this.session = session;
    }

    ChatSession session() {
        return session;
    }

    /** Closes the session and continues with another. */
    void switchTo(ChatSession other) throws IOException {
        ChatSession before = session;
        session = other;
        before.close();
    }

    private Conversation conversation() {
        return session.conversation();
    }

    void say(String text) throws IOException {
        answer(listener -> conversation().say(text, settings.options(), listener));
    }

    /** Replaces the last question and its answer. */
    void sayInstead(String text) throws IOException {
        answer(listener -> conversation().sayInstead(text, settings.options(), listener));
    }

    void retry() throws IOException {
        answer(listener -> conversation().retry(settings.options(), listener));
    }

    /** A step of the conversation; returns null if it was cancelled before it changed anything. */
    private interface Step {
        Turn take(GenerationListener listener) throws IOException;
    }

    private void answer(Step step) throws IOException {
        terminal.whileWorking(() -> {
            AnswerPrinter answer = new AnswerPrinter(terminal::print);
            terminal.showWorking();
            Turn turn = step.take(new Listener(answer));
            terminal.eraseProgress();
            answer.end();
            if (turn == null) {
                terminal.note("(stopped; nothing was said)");
                return;
            }
            session.save();
            status(turn);
            warn(turn);
        });
    }

    /** Reads a document to talk about. */
    void read(String name, Reader text) throws IOException {
        terminal.whileWorking(() -> {
            Turn turn = conversation().read(name, text, new Listener(null));
            terminal.eraseProgress();
            if (turn == null) {
                terminal.note("(stopped; nothing of it was read)");
                return;
            }
            session.save();
            terminal.note(String.format(Locale.ROOT, "read %s, %,d tokens", name, turn.promptTokens()));
            warn(turn);
        });
    }

    /** Shows progress and the answer on the terminal. */
    private final class Listener implements GenerationListener {
        private final AnswerPrinter answer; // null where no answer is to come

        Listener(AnswerPrinter answer) {
            this.answer = answer;
        }

        @Override
        public void prefill(int done, int total) {
            terminal.progress(done, total);
        }

        @Override
        public void text(String piece) {
            terminal.eraseProgress();
            answer.print(piece);
        }

        @Override
        public boolean cancelled() {
            return terminal.interrupted();
        }
    }

    private void status(Turn turn) {
        Outcome outcome = conversation().outcome();
        String end = switch (turn.answer().ending()) {
            case "interrupted" -> "stopped; /undo takes it back · ";
            case "length" -> "cut at max-tokens · ";
            default -> "";
        };
        terminal.note(String.format(
                Locale.ROOT,
                "%s%.1f tokens/s · %,d tokens in memory · %s",
                end,
                outcome.decodeRate(),
                turn.position(),
                conversation().branch()));
    }

    private void warn(Turn turn) throws IOException {
        String tooLong = session.lengthWarning(turn);
        if (tooLong != null) {
            terminal.note(tooLong);
        }
        IOException failure = conversation().takeStorageFailure();
        if (failure != null) {
            terminal.complain("a snapshot could not be written to disk and will be computed again when needed: "
                    + ErrorText.describe(failure));
        }
    }

    @Override
    public void close() throws IOException {
        session.close();
    }
}
