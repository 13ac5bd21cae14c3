/**
 * tokenizer.json to ids and back: byte-level BPE as GPT-2, GPT-NeoX, Llama-3 and Qwen2 use it. Knows nothing of models.
 *
 * <p>{@link dev.xlstm.tokenizer.Tokenizer} is the way in. {@code TokenizerFile} reads and checks the file. Text becomes
 * ids in a chain of {@code Stage}s, each of which passes on what later text can no longer change:
 *
 * <pre>added tokens (raw) → NFC → added tokens (normalised) → pre-tokenisers → BPE</pre>
 *
 * so that encoding a whole text and encoding it in pieces are the same code. {@code TokenizerLimits} holds every bound set
 * against hostile files and texts.
 */
package dev.xlstm.tokenizer;
