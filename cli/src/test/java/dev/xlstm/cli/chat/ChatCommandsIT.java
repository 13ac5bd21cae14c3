package dev.xlstm.cli.chat;

import dev.xlstm.cli.PseudoTerminal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.PseudoTerminal.CTRL_C;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** The commands of a chat, and what is typed besides: what the screen shows. */
class ChatCommandsIT extends ChatOnTerminal {

    @Test
    void severalLinesInQuotesBehindBackslashesAndPasted() throws Exception {
        try (PseudoTerminal terminal = chat("-n", "3")) {
            terminal.awaitPrompt(">");
            terminal.enter("\"\"\"one");
            terminal.enter("two\"\"\"");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("three\\");
            terminal.enter("four");
            terminal.await("two turns", shown -> shown.split("tokens in memory").length == 3 && shown.endsWith(">"));
            terminal.type("\u001b[200~five\nsix\u001b[201~");
            terminal.await("six");
            terminal.enter("!event");
            terminal.await("three turns", shown -> shown.split("tokens in memory").length == 4 && shown.endsWith(">"));
            terminal.enter("/save " + home.resolve("talk.json"));
            terminal.await("wrote ");
            assertThat(Files.readString(home.resolve("talk.json")))
                    .contains("\"one\\ntwo\"", "\"three\\nfour\"", "\"five\\nsix!event\"");
        }
    }

    @Test
    void aPasteIsTextWhateverIsInIt() throws Exception {
        Map<String, String> pastes = new LinkedHashMap<>();
        pastes.put("docker run \\\n  -it \\\n  ubuntu bash", "docker run \\\n  -it \\\n  ubuntu bash");
        pastes.put("a & b \\\\\nend \\", "a & b \\\\\nend \\");
        pastes.put(
                "\"\"\"Module doc.\"\"\"\ndef f():\n    return 1\n",
                "\"\"\"Module doc.\"\"\"\ndef f():\n    return 1\n");
        pastes.put(
                "/usr/bin/thing: error: no such device\nwhat does it mean?",
                "/usr/bin/thing: error: no such device\nwhat does it mean?");
        pastes.put("one\r\n\r\ntwo\rthree", "one\n\ntwo\nthree");
        pastes.put("  exit  ", "  exit  ");
        Path saved = home.resolve("talk.json");
        int turns = 1;
        try (PseudoTerminal terminal = chat(80, 80, Map.of(), "-n", "2")) {
            terminal.awaitPrompt(">");
            for (String paste : pastes.keySet()) {
                terminal.type("\u001b[200~" + paste + "\u001b[201~");
                terminal.enter("");
                int more = ++turns;
                terminal.await(
                        "turn", shown -> shown.split("tokens in memory").length == more && shown.endsWith("\n>"));
            }
            terminal.type("\u001b[A"); // a paste that is recalled is still one
            terminal.type("\u001b[A");
            terminal.enter("");
            terminal.await("turn", shown -> shown.split("tokens in memory").length == 8 && shown.endsWith("\n>"));
            terminal.type("/save \u001b[200~" + saved + "\u001b[201~"); // a command typed, its argument pasted
            terminal.enter("");
            terminal.await("wrote ");
            JsonNode messages = JsonMapper.shared().readTree(saved.toFile()).path("messages");
            List<String> asked = messages.valueStream()
                    .filter(message -> message.path("role").asString().equals("user"))
                    .map(message -> message.path("content").asString())
                    .toList();
            assertThat(asked.subList(0, pastes.size())).containsExactlyElementsOf(pastes.values());
            assertThat(asked.getLast()).isEqualTo("one\n\ntwo\nthree");
        }
    }

    @Test
    void wordsThatLeaveAndNamesAndOverwriting() throws Exception {
        Path saved = Files.writeString(home.resolve("talk.md"), "mine");
        try (PseudoTerminal terminal = chat("-n", "2")) {
            terminal.awaitPrompt(">");
            terminal.enter(" exit"); // with a blank in front the word goes to the model
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/save " + saved);
            terminal.await("asked", shown -> terminal.received().contains("[y/N]"));
            terminal.type("n");
            terminal.await("not written");
            assertThat(saved).hasContent("mine");
            terminal.awaitPrompt(">");
            terminal.enter("/save " + saved);
            terminal.await("asked again", shown -> terminal.received().split("\\[y/N\\]").length > 2);
            terminal.type("y");
            terminal.await("wrote ");
            assertThat(Files.readString(saved)).startsWith("**User:**\n\nexit");
            terminal.enter("/name  tax   return ");
            terminal.await("named 'tax return'");
            terminal.awaitPrompt(">");
            terminal.enter("quit");
            terminal.await("(left the chat; with a blank in front, 'quit' goes to the model)");
            assertThat(terminal.exitCode()).isZero();
        }
        assertThat(run("sessions")).endsWith("  tax return\n");
        run("sessions", "rename", "tax return", "");
        assertThat(run("sessions", "list")).endsWith("  exit\n");
        try (PseudoTerminal terminal = chat()) { // one in which nothing is said is not kept
            terminal.awaitPrompt(">");
            terminal.enter("bye");
            assertThat(terminal.exitCode()).isZero();
        }
        assertThat(run("sessions").lines()).hasSize(1);
    }

    @Test
    void editLastAndTheEditor() throws Exception {
        Path editor = Files.writeString(home.resolve("editor.sh"), "#!/bin/sh\necho 'written elsewhere' > \"$1\"\n");
        Files.setPosixFilePermissions(editor, PosixFilePermissions.fromString("rwx------"));
        try (PseudoTerminal terminal = chat(80, 40, Map.of("VISUAL", editor.toString()), "-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("first words");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/edit-last");
            terminal.await("draft", shown -> shown.endsWith("> first words"));
            terminal.enter(" changed");
            terminal.await("answer", shown -> shown.split("tokens in memory").length == 3 && shown.endsWith(">"));
            terminal.enter("/edit");
            terminal.await("third", shown -> shown.split("tokens in memory").length == 4 && shown.endsWith(">"));
            terminal.enter("/branches");
            assertThat(terminal.await("<- * main"))
                    .contains("(start)\nfirst words changed\nwritten elsewhere  <- * main");
        }
    }

    @Test
    void systemAndReset() throws Exception {
        try (PseudoTerminal terminal = chat("-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("/system");
            terminal.await("(no system prompt)");
            terminal.enter("/system Be brief.");
            terminal.await("begins anew\n");
            terminal.enter("Hello!");
            int tokens = tokens(terminal.await("tokens in memory"));
            terminal.awaitPrompt(">");
            terminal.enter("/system");
            terminal.await("> /system\nBe brief.\n>");
            terminal.enter("/reset");
            terminal.await("begins anew; the turns so far are branch main.1");
            terminal.enter("/undo");
            terminal.await("nothing to undo\nnow after: (the beginning)");
            terminal.enter("Hello!");
            terminal.await(
                    "the same again", shown -> shown.endsWith(">") && shown.split("tokens in memory").length == 3);
            assertThat(tokens(terminal.screen())).isCloseTo(tokens, within(4)); // the system prompt is still there
            terminal.enter("/branches");
            terminal.await(
                    "(start) system: Be brief.\nHello!  <- main.1\n(start) system: Be brief.\nHello!  <- * main");
        }
    }

    @Test
    void savingAndLoading() throws Exception {
        String id;
        try (PseudoTerminal terminal = chat("-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("My name is Tom.");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/save");
            String shown = terminal.await("saved as session ");
            id = shown.substring(shown.indexOf("saved as session ") + 17).split(";")[0];
            terminal.enter("/save " + home.resolve("tom.md"));
            terminal.await("wrote ");
            assertThat(Files.readString(home.resolve("tom.md")))
                    .startsWith("**User:**\n\nMy name is Tom.\n\n**Assistant:**\n\n");
            terminal.enter("/save /nowhere/tom.md");
            terminal.await("/nowhere/tom.md: cannot be written: there is no such directory");
            try (PseudoTerminal second = chat("--continue", id)) {
                assertThat(second.exitCode()).isEqualTo(1);
                assertThat(second.screen()).isEqualTo("xlstm: session " + id + " is in use by another chat");
            }
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
        }
        try (PseudoTerminal terminal = chat(120, 24, Map.of(), "-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("Hello there!");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/sessions");
            assertThat(terminal.await("My name is Tom.")).containsPattern("1 branch .* Hello there!");
            terminal.enter("/load nothing");
            terminal.await("no session 'nothing'");
            terminal.enter("/load " + id);
            terminal.await("now after: My name is Tom.");
            terminal.enter("/load " + id);
            terminal.await("this is the current session");
            terminal.enter("/undo");
            terminal.await("took back 1 turn\nnow after: (the beginning)");
        }
    }

    @Test
    void readingAFileShowsHowFarItIsAndCanBeStopped() throws Exception {
        Path big = Files.writeString(home.resolve("big.txt"), "The dog saw a red ball. ".repeat(200_000));
        Path small = Files.writeString(home.resolve("small.txt"), "The dog saw a red ball. ".repeat(20));
        try (PseudoTerminal terminal = chat("-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("/read " + big);
            terminal.await("progress", shown -> shown.matches("(?s).*\nreading: [\\d,]+ tokens"));
            terminal.type(String.valueOf(CTRL_C));
            assertThat(terminal.await("(stopped; nothing of it was read)")).doesNotContain("reading:");
            terminal.enter("/read " + small);
            terminal.await("read small.txt, 1");
            terminal.enter("What did the dog see?");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/branches");
            terminal.await("(start)\n[read small.txt]\nWhat did the dog see?  <- * main");
            terminal.enter("/read " + home);
            terminal.await("is a directory, not a text");
            terminal.enter("/read nothing.txt");
            terminal.await("nothing.txt: no such file");
        }
    }

    @Test
    void measuringLeavesTheConversationAsItIs() throws Exception {
        try (PseudoTerminal terminal = chat("-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("Hello!");
            int tokens = tokens(terminal.await("tokens in memory"));
            terminal.enter("/bench");
            terminal.await(
                    "rates",
                    shown -> shown.matches(
                            "(?s).*read [\\d,.]+ tokens/s, write [\\d,.]+ tokens/s, copy of the state [\\d.]+ ms\n>"));
            terminal.enter("/stats");
            assertThat(terminal.await("last turn"))
                    .containsPattern("memory     " + tokens + " tokens, [\\d.]+ KiB however many");
        }
    }

    @Test
    void whatMakesNoSenseIsSaidInALine() throws Exception {
        Map<String, String> complaints = new LinkedHashMap<>();
        complaints.put("/exti", "no command /exti; did you mean /exit?");
        complaints.put("/set temprature 1", "no setting 'temprature'; did you mean temperature?");
        complaints.put("/set top-p 9", "top-p must be above 0 and at most 1, not 9.0");
        complaints.put("/set seed many", "seed takes a number, not 'many'");
        complaints.put("/set seed", "usage: /set [NAME [VALUE]]");
        complaints.put("/undo 0", "a number above 0 is needed, not '0'");
        complaints.put("/retry", "nothing has been said yet");
        complaints.put("/edit-last", "nothing has been said yet");
        complaints.put("/fork", "usage: /fork NAME");
        complaints.put("/fork main", "there is a branch 'main' already");
        complaints.put("/fork a b", "a branch needs a name of up to 64 characters, without blanks");
        complaints.put("/delete main", "'main' is the current branch; /switch to another first");
        complaints.put("/switch side", "no branch 'side'; there are main");
        try (PseudoTerminal terminal = chat(100, 50, Map.of())) {
            terminal.awaitPrompt(">");
            terminal.enter("");
            terminal.enter("   ");
            for (Map.Entry<String, String> complaint : complaints.entrySet()) {
                terminal.enter(complaint.getKey());
                terminal.await("> " + complaint.getKey() + "\n" + complaint.getValue());
            }
            terminal.enter("/set seed 5");
            terminal.await("seed = 5");
            terminal.enter("/bye");
            assertThat(terminal.exitCode()).isZero();
        }
    }

    @Test
    void aChatAfterAState() throws Exception {
        Path state = home.resolve("mia.state");
        run("prime", "The cat is called Mia.", "-o", state.toString());
        try (PseudoTerminal terminal = chat("--state", state.toString(), "-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("/branches");
            terminal.await("[state mia.state]\n(start)  <- * main");
            terminal.enter("What is the cat called?");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/undo 9");
            terminal.await("took back 1 turn\nnow after: (the beginning, after mia.state)");
            terminal.enter("Hello!");
            terminal.await("answer", shown -> shown.endsWith(">") && shown.split("tokens in memory").length == 3);
            terminal.kill();
        }
        Files.delete(state);
        try (PseudoTerminal terminal = chat("--continue", "-n", "4")) {
            terminal.await("> Hello!");
            terminal.awaitPrompt(">");
            terminal.enter("/reset");
            terminal.enter("/stats");
            terminal.await("the state alone", shown -> shown.matches("(?s).*memory     \\d tokens, .*"));
        }
        try (PseudoTerminal terminal = chat("--state", LAUNCHER)) {
            assertThat(terminal.exitCode()).isEqualTo(1);
            assertThat(terminal.screen().replaceAll("\\s", "")).contains(LAUNCHER + ":isnotasafetensorsfile");
        }
        try (PseudoTerminal terminal = chat("--state", LAUNCHER, "--continue")) {
            assertThat(terminal.exitCode()).isEqualTo(2);
            assertThat(terminal.screen()).contains("--state begins a conversation");
        }
        assertThat(run("sessions", "list").lines()).hasSize(1);
    }
}
