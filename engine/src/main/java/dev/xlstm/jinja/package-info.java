/**
 * A small interpreter of Jinja, as far as chat templates use the language, with the values and the text forms of
 * Python. A template comes from a stranger: it sees only what it is given, changes nothing, and its work is bounded.
 *
 * <p>{@link dev.xlstm.jinja.Template} is the way in. {@code Lexer} and {@code Parser} make a tree of {@code Statement}s
 * and {@code Expression}s, which evaluate themselves in a {@code Scope}. Knows nothing of chats or models.
 */
package dev.xlstm.jinja;
