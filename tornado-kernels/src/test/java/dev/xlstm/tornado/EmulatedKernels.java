package dev.xlstm.tornado;

/**
 * The same in Java, where every access to an array is checked. Runs in a JVM of its own: TornadoVM compiles nothing any more
 * once KernelContext has a subclass.
 */
class EmulatedKernels extends KernelTest {

    @Override
    boolean emulated() {
        return true;
    }
}
