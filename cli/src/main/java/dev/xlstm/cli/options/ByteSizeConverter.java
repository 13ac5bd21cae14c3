package dev.xlstm.cli.options;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parses numbers of bytes such as 512M or 2G; units are powers of 1024. */
public final class ByteSizeConverter implements ITypeConverter<Long> {

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
            // reported below
        }
        throw new TypeConversionException("'" + text + "' is no size such as 512M or 2G");
    }
}
