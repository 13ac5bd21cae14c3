/**
 * One sequence fed to a loaded model: feed, logits, fork, state files. Knows ids, not text.
 */
package dev.xlstm.session;
