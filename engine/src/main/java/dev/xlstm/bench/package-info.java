/**
 * Measurements: what the machine can do, and what share of it a model reaches. Nothing here is needed to run a model.
 */
package dev.xlstm.bench;
