package dev.xlstm.cli.options;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Bytes as people write them: 512M, 2G. */
public final class MemorySize implements ITypeConverter<Long> {

    private static final String UNITS = "KMGT";

    @Override
    public Long convert(String text) {
        String upper = text.strip().toUpperCase(Locale.ROOT).replaceFirst("I?B$", "");
        int unit = upper.isEmpty() ? -1 : UNITS.indexOf(upper.charAt(upper.length() - 1));
        try {
            double number = Double.parseDouble(unit < 0 ? upper : upper.substring(0, upper.length() - 1));
            if (number >= 0 && number < 1e15) {
                return (long) (number * Math.pow(1024, unit + 1));
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new TypeConversionException("'" + text + "' is no size such as 512M or 2G");
    }

    public static String text(long bytes) {
        return bytes < 1L << 20
                ? String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0)
                : String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    /** Memory of the machine that nobody uses now. */
    public static long free() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                ? system.getFreeMemorySize()
                : 1L << 30;
    }
}
