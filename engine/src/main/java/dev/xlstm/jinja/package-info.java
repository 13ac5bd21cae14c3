/**
 * An interpreter of the Jinja template language as chat templates use it, with Python's values and text forms. The
 * reference is jinja2 as transformers configures it. A template is untrusted: it sees only its variables, has no side
 * effects, and its work is limited. Strings record which characters come from untrusted input
 * ({@link dev.xlstm.jinja.TrackedString}), so that a chat can tell a user's text from the template's own.
 *
 * <p>{@link dev.xlstm.jinja.Template} is the entry point. {@code Lexer} and {@code Parser} build a tree of
 * {@code Statement}s and {@code Expression}s, which run in a {@code Scope}. The package knows nothing of chats or models.
 *
 * <p>An implementation of our own, because the JVM's jinjava lacks chained comparisons, slices with a step and other parts
 * of the language, and depends on Guava, JUEL and javassist.
 */
package dev.xlstm.jinja;
