package dev.xlstm.tornado;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import uk.ac.manchester.tornado.api.KernelContext;

/**
 * Runs kernels as the Java they are, a thread for each of the device's, so that every access is checked: one beyond an array
 * throws, and what is read from local memory before it was written is NaN. A barrier that not all threads of a workgroup
 * reach is an error.
 *
 * <p>What fails on a device and not here is the device's: PoCL 3.1 corrupts the heap with its work-group methods
 * {@code loops} and {@code cbs}, which drop conditions of stores.
 */
final class Emulation {

    private Emulation() {}

    /** Runs {@code groupsX * groupsY} workgroups of {@code group} threads, one after another. */
    static void run(int groupsX, int groupsY, int group, Consumer<KernelContext> kernel) throws Exception {
        for (int y = 0; y < groupsY; y++) {
            for (int x = 0; x < groupsX; x++) {
                runGroup(x, y, group, kernel);
            }
        }
    }

    private static void runGroup(int x, int y, int group, Consumer<KernelContext> kernel) throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(group);
        List<Object> locals = new ArrayList<>();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < group; t++) {
            KernelContext context = new Member(barrier, locals);
            set(context, "groupIdx", x);
            set(context, "groupIdy", y);
            set(context, "localIdx", t);
            set(context, "globalIdx", x * group + t);
            threads.add(Thread.startVirtualThread(() -> {
                try {
                    kernel.accept(context);
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                    barrier.reset(); // the others need not wait
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (failure.get() != null) {
            throw new AssertionError("workgroup " + x + ", " + y + " of the kernel", failure.get());
        }
    }

    /** The context's fields are final, as they are constants of a thread. */
    private static void set(KernelContext context, String name, int value) throws ReflectiveOperationException {
        Field field = KernelContext.class.getField(name);
        field.setAccessible(true);
        field.set(context, value);
    }

    private static final class Member extends KernelContext {

        private final CyclicBarrier barrier;
        private final List<Object> locals; // of the workgroup, in the order they are allocated
        private int allocated;

        Member(CyclicBarrier barrier, List<Object> locals) {
            this.barrier = barrier;
            this.locals = locals;
        }

        @Override
        public void localBarrier() {
            try {
                barrier.await(20, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError("not all threads of the workgroup came to a barrier", e);
            }
        }

        @Override
        public float[] allocateFloatLocalArray(int size) {
            float[] fresh = new float[size];
            Arrays.fill(fresh, Float.NaN);
            return (float[]) shared(fresh);
        }

        @Override
        public int[] allocateIntLocalArray(int size) {
            int[] fresh = new int[size];
            Arrays.fill(fresh, Integer.MIN_VALUE);
            return (int[]) shared(fresh);
        }

        private Object shared(Object fresh) {
            synchronized (locals) {
                if (allocated == locals.size()) {
                    locals.add(fresh);
                }
                return locals.get(allocated++);
            }
        }
    }
}
