/**
 * Conversations: turns in the form a model was trained on, and a tree of states in which each of them can be undone,
 * forked and kept. No terminal.
 *
 * <p>{@link dev.xlstm.chat.Conversation} is the way in; {@link dev.xlstm.chat.ChatTemplate} makes text of turns.
 */
package dev.xlstm.chat;
