package dev.xlstm.cli.console;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The memory of this machine, in bytes. */
public final class MachineMemory {

    private static final long UNKNOWN_FREE = 1L << 30; // a cautious guess

    private MachineMemory() {}

    /** All memory; {@link Long#MAX_VALUE} if unknown. */
    public static long total() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : Long.MAX_VALUE;
    }

    /** Memory that no process uses now. */
    public static long free() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getFreeMemorySize()
                : UNKNOWN_FREE;
    }
}
