package dev.xlstm.cli.console;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The memory of this machine, in bytes. */
public final class MachineMemory {

    private static final long UNKNOWN_FREE = 1L << 30; // a cautious guess

    private MachineMemory() {}

    /** Memory that no process uses now. */
    public static long free() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getFreeMemorySize()
                : UNKNOWN_FREE;
    }
}
