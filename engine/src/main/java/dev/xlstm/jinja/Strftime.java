package dev.xlstm.jinja;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.TextStyle;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Formats dates as Python's {@code datetime.strftime} does with glibc in the C locale. */
public final class Strftime {

    private Strftime() {}

    /** An unknown directive stays as it is. */
    public static String format(String format, LocalDateTime time) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            int end = i + 1;
            while (c == '%' && end < format.length() && "-_0^#".indexOf(format.charAt(end)) >= 0) {
                end++;
            }
            String part = c == '%' && end < format.length() ? directive(format.charAt(end), time) : null;
            if (part == null) {
                text.append(c);
                continue;
            }
            for (int flag = i + 1; flag < end; flag++) {
                part = apply(format.charAt(flag), part);
            }
            text.append(part);
            i = end;
        }
        return text.toString();
    }

    private static String apply(char flag, String part) {
        boolean number = part.matches("[ 0-9]+");
        return switch (flag) {
            case '-' -> number ? part.replaceFirst("^[ 0]+(?=.)", "") : part;
            case '_' -> number ? pad(part, ' ') : part;
            case '0' -> number ? part.replace(' ', '0') : part;
            default -> part.toUpperCase(Locale.ROOT); // ^ and #
        };
    }

    private static String pad(String digits, char with) {
        int zeros = 0;
        while (zeros < digits.length() - 1 && digits.charAt(zeros) == '0') {
            zeros++;
        }
        return String.valueOf(with).repeat(zeros) + digits.substring(zeros);
    }

    /** Null for an unknown directive. */
    private static String directive(char directive, LocalDateTime time) {
        int hour12 = (time.getHour() + 11) % 12 + 1;
        int sunday0 = time.getDayOfWeek().getValue() % 7;
        int yearDay = time.getDayOfYear() - 1;
        return switch (directive) {
            case 'a' -> time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ROOT);
            case 'A' -> time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' -> time.getMonth().getDisplayName(TextStyle.SHORT, Locale.ROOT);
            case 'B' -> time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'c' -> format("%a %b %e %H:%M:%S %Y", time);
            case 'C' -> number("%02d", time.getYear() / 100);
            case 'd' -> number("%02d", time.getDayOfMonth());
            case 'D', 'x' -> format("%m/%d/%y", time);
            case 'e' -> number("%2d", time.getDayOfMonth());
            case 'f' -> number("%06d", time.getNano() / 1000);
            case 'F' -> format("%Y-%m-%d", time);
            case 'g' -> number("%02d", time.get(IsoFields.WEEK_BASED_YEAR) % 100);
            case 'G' -> number("%d", time.get(IsoFields.WEEK_BASED_YEAR));
            case 'H' -> number("%02d", time.getHour());
            case 'I' -> number("%02d", hour12);
            case 'j' -> number("%03d", time.getDayOfYear());
            case 'k' -> number("%2d", time.getHour());
            case 'l' -> number("%2d", hour12);
            case 'm' -> number("%02d", time.getMonthValue());
            case 'M' -> number("%02d", time.getMinute());
            case 'n' -> "\n";
            case 'p' -> time.getHour() < 12 ? "AM" : "PM";
            case 'P' -> time.getHour() < 12 ? "am" : "pm";
            case 'r' -> format("%I:%M:%S %p", time);
            case 'R' -> format("%H:%M", time);
            case 's' ->
                Long.toString(time.atZone(ZoneId.systemDefault())
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toEpochSecond());
            case 'S' -> number("%02d", time.getSecond());
            case 't' -> "\t";
            case 'T', 'X' -> format("%H:%M:%S", time);
            case 'u' -> number("%d", time.getDayOfWeek().getValue());
            case 'U' -> number("%02d", (yearDay + 7 - sunday0) / 7);
            case 'V' -> number("%02d", time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
            case 'w' -> number("%d", sunday0);
            case 'W' -> number("%02d", (yearDay + 7 - (sunday0 + 6) % 7) / 7);
            case 'y' -> number("%02d", time.getYear() % 100);
            case 'Y' -> number("%d", time.getYear());
            case 'z', 'Z' -> ""; // a time without a zone
            case '%' -> "%";
            default -> null;
        };
    }

    private static String number(String format, int value) {
        return String.format(Locale.ROOT, format, value);
    }
}
