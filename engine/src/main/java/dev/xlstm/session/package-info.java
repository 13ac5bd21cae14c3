/**
 * One sequence fed to a loaded model: feed, logits, fork, snapshots, state files. No text.
 */
package dev.xlstm.session;
