/** tokenizer.json to ids and back. Knows nothing of models. */
package dev.xlstm.tokenizer;
