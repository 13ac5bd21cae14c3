/**
 * Requests as data: what a client of a batch file or a server asks for, read from JSON. Field names are those of OpenAI's
 * API where it has them.
 */
package dev.xlstm.request;
