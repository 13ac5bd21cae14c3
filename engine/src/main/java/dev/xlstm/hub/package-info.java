/** The local cache of the Hugging Face hub: finds models that other tools have downloaded. Knows nothing of what is in a model. */
package dev.xlstm.hub;
