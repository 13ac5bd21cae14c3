package dev.xlstm.chat;

import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Draws a conversation's turns below each other, and indents the turns after a fork. */
public final class TreeDrawing {

    private static final int MAX_LABEL = 40; // characters
    private static final int MIN_LABEL = 8; // in a narrow window

    private final Conversation conversation;
    private final List<Turn> turns; // oldest first
    private final int width;
    private final StringBuilder out = new StringBuilder();

    private TreeDrawing(Conversation conversation, int width) {
        this.width = width;
        this.conversation = conversation;
        turns = conversation.turns().stream()
                .sorted(Comparator.comparingInt(Turn::id))
                .toList();
    }

    /**
     * The tree with the names of its branches; the current one has a star.
     *
     * @param width columns to draw in, 0 for no limit
     */
    public static String of(Conversation conversation, int width) {
        TreeDrawing drawing = new TreeDrawing(conversation, width);
        for (Turn turn : drawing.turns) {
            if (turn.parent() == null) {
                drawing.line("", turn);
                drawing.children(turn, "");
            }
        }
        return drawing.out.toString();
    }

    /** A run of turns without forks stays in one column. */
    private void children(Turn turn, String indent) {
        Turn at = turn;
        while (true) {
            Turn parent = at;
            List<Turn> children =
                    turns.stream().filter(child -> child.parent() == parent).toList();
            if (children.size() != 1) {
                for (int i = 0; i < children.size(); i++) {
                    boolean last = i == children.size() - 1;
                    line(indent + (last ? "└─ " : "├─ "), children.get(i));
                    children(children.get(i), indent + (last ? "   " : "│  "));
                }
                return;
            }
            at = children.get(0);
            line(indent, at);
        }
    }

    private void line(String indent, Turn turn) {
        StringBuilder names = new StringBuilder();
        for (Map.Entry<String, Turn> branch : conversation.branches().entrySet()) {
            if (branch.getValue() == turn) {
                boolean current = branch.getKey().equals(conversation.branch());
                names.append(current ? "  <- * " : "  <- ").append(branch.getKey());
            }
        }
        int room = width == 0 ? MAX_LABEL : width - 1 - indent.length() - names.length();
        out.append(indent)
                .append(turn.label(Math.clamp(room, MIN_LABEL, MAX_LABEL)))
                .append(names)
                .append('\n');
    }
}
