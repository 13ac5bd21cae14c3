package dev.xlstm.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tree of a conversation's turns: branches are names for the last turns of paths, and one of them is current. */
final class Branches {

    /** The branch a conversation begins with. */
    static final String MAIN = "main";

    private static final int MAX_NAME_CHARS = 64;

    private final Map<String, Turn> heads = new LinkedHashMap<>();
    private String current = MAIN;
    private int nextId;

    /** Takes over what was saved. */
    void restore(Map<String, Turn> saved, String branch, int next) {
        heads.putAll(saved);
        current = branch;
        nextId = next;
    }

    /** An id for a new turn. */
    int newId() {
        return nextId++;
    }

    int nextId() {
        return nextId;
    }

    Turn head() {
        return heads.get(current);
    }

    String current() {
        return current;
    }

    Map<String, Turn> heads() {
        return Collections.unmodifiableMap(heads);
    }

    /** All turns, each after its parent. */
    Set<Turn> turns() {
        Set<Turn> turns = new LinkedHashSet<>();
        heads.values().forEach(head -> turns.addAll(head.path()));
        return turns;
    }

    /** Makes a turn the end of the current branch. */
    void moveTo(Turn turn) {
        heads.put(current, turn);
    }

    /**
     * Removes the last turns from the current branch, never the beginning.
     *
     * @return the removed turns, oldest first
     */
    List<Turn> undo(int turns) {
        List<Turn> path = head().path();
        int first = path.indexOf(head().beginning()) + 1;
        int keep = Math.max(first, path.size() - Math.max(0, turns));
        moveTo(path.get(keep - 1));
        return path.subList(keep, path.size());
    }

    void fork(String name) {
        if (heads.containsKey(name)) {
            throw new ChatException("there is a branch '" + name + "' already; /switch " + name + " goes to it");
        }
        if (!isName(name) || name.length() > MAX_NAME_CHARS) {
            throw new ChatException("a branch needs a name of up to " + MAX_NAME_CHARS + " characters, without blanks");
        }
        heads.put(name, head());
        current = name;
    }

    /** Whether a name can be typed and stays in one line. */
    static boolean isName(String name) {
        return !name.isBlank() && name.chars().noneMatch(c -> c <= ' ' || Character.isISOControl(c));
    }

    void switchTo(String name) {
        current = known(name);
    }

    void delete(String name) {
        if (known(name).equals(current)) {
            throw new ChatException("'" + name + "' is the current branch; /switch to another first");
        }
        heads.remove(name);
    }

    private String known(String name) {
        if (!heads.containsKey(name)) {
            throw new ChatException("no branch '" + name + "'; there are " + String.join(", ", heads.keySet()));
        }
        return name;
    }

    /**
     * Begins the current branch anew, after the state file that the conversation began after if there is one.
     *
     * @param system prompt, null for none
     * @return the branch that keeps the turns so far, null if there were none
     */
    String restart(String system) {
        String kept = null;
        if (!head().isBeginning()) {
            int n = 1;
            while (heads.containsKey(current + "." + n)) {
                n++;
            }
            kept = current + "." + n;
            heads.put(kept, head());
        }
        begin(head().beginning().parent(), system);
        return kept;
    }

    /** @param state what the conversation begins after, null for nothing */
    void begin(Turn state, String system) {
        moveTo(Turn.beginning(newId(), state, system == null || system.isBlank() ? null : system));
    }
}
