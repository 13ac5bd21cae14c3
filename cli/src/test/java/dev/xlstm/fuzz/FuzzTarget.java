package dev.xlstm.fuzz;

import java.util.List;

/**
 * A reader of bytes that may come from anyone.
 *
 * @param name of its directory in test-data/fuzz, too
 * @param seeds good inputs to begin from; those of the directory are added
 * @param mutator how to spoil them
 * @param reader under test
 */
public record FuzzTarget(String name, List<byte[]> seeds, Mutator mutator, Reader reader) {

    /** Takes an input or refuses it. */
    public interface Reader {

        /**
         * @throws Exception a refusal, see {@link Fuzzer#problem}; any other is a finding
         */
        void read(byte[] input) throws Exception;
    }
}
