/**
 * Languages that generated text must stay in: GBNF and JSON Schema become a {@link dev.xlstm.grammar.Grammar}, which
 * compiled for a vocabulary says at each point of the text which tokens may come next. Bytes and ids only; no models, no
 * tokenizer, no sampling.
 */
package dev.xlstm.grammar;
