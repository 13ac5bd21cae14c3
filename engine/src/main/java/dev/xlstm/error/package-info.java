/**
 * The kinds of failure that a front end tells apart. Every exception that the engine throws at its caller for a reason
 * outside the program is one of them; each message is one line that names the file or field and says what to do.
 */
package dev.xlstm.error;
