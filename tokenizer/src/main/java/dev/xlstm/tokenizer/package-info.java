/**
 * tokenizer.json to ids and back: byte-level BPE as of GPT-2, GPT-NeoX, Llama-3 and Qwen2; BPE of characters with bytes as
 * fallback as of Llama-2, Mistral and Gemma; WordLevel. Knows nothing of models.
 *
 * <p>Start at {@link dev.xlstm.tokenizer.Tokenizer}. {@code TokenizerFile} reads and checks the file. Encoding is a chain of
 * {@code Stage}s; each passes text on as soon as later text cannot change it:
 *
 * <pre>added tokens (raw) → normalisers → added tokens (normalised) → pre-tokenisers → BPE or WordLevel</pre>
 *
 * A whole text and a text in pieces take the same path. {@code TokenizerLimits} holds the limits on files and texts.
 */
package dev.xlstm.tokenizer;
