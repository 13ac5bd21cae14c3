package dev.xlstm.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Dates in the format language of C, in English. */
public final class Strftime {

    private Strftime() {}

    /**
     * @throws JinjaException if a directive is not supported
     */
    public static String format(String format, LocalDateTime time) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%') {
                text.append(c);
                continue;
            }
            i++;
            boolean unpadded = i < format.length() && format.charAt(i) == '-';
            i += unpadded ? 1 : 0;
            if (i >= format.length()) {
                throw new JinjaException("strftime_now: the format ends with %");
            }
            String part = directive(format.charAt(i), time);
            text.append(unpadded && part.length() > 1 ? part.replaceFirst("^[0 ]+(?=.)", "") : part);
        }
        return text.toString();
    }

    private static String directive(char directive, LocalDateTime time) {
        String pattern = switch (directive) {
            case 'Y' -> "uuuu";
            case 'y' -> "uu";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'e' -> "ppd";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'p' -> "a";
            case 'j' -> "DDD";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'B' -> "MMMM";
            case 'b' -> "MMM";
            case 'F' -> "uuuu-MM-dd";
            case 'T' -> "HH:mm:ss";
            case '%' -> "'%'";
            default -> throw new JinjaException("strftime_now: the directive %" + directive + " is not supported");
        };
        return time.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH));
    }
}
