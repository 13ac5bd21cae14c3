/**
 * Constrains generated text to a language. GBNF and JSON Schema become a {@link dev.xlstm.grammar.Grammar}; compiled for a
 * vocabulary, it gives the set of tokens allowed at each point of the text. The package works on bytes and token ids; it
 * knows no models, tokenizers or samplers.
 */
package dev.xlstm.grammar;
