package dev.xlstm.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code format(value, spec)}, and the number formats that it shares with the % operator. */
final class FormatSpec {

    private static final Pattern SPEC = Pattern.compile(
            "(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<z>z)?(?<alternate>#)?(?<zero>0)?(?<width>[0-9]+)?"
                    + "(?<group>[,_])?(?:\\.(?<precision>[0-9]+))?(?<type>[a-zA-Z%])?",
            Pattern.DOTALL);

    private static final int MAX_PRECISION = 10_000;

    private final Budget budget;
    private final String spec;
    private final int fill;
    private final char align; // 0 for the default of the type
    private final char sign;
    private final boolean noNegativeZero;
    private final boolean alternate;
    private final boolean zeroPadded;
    private final long width;
    private final String group;
    private final int precision; // -1 if not given
    private final char type; // 0 if not given

    private FormatSpec(Budget budget, String spec) {
        this.budget = budget;
        this.spec = spec;
        Matcher parts = SPEC.matcher(spec);
        if (!parts.matches()) {
            throw invalid();
        }
        boolean zero = parts.group("zero") != null;
        fill = parts.group("fill") != null ? parts.group("fill").codePointAt(0) : zero ? '0' : ' ';
        align = first(parts.group("align"));
        sign = first(parts.group("sign"));
        noNegativeZero = parts.group("z") != null;
        alternate = parts.group("alternate") != null;
        zeroPadded = zero && align == 0 || align == '=' && fill == '0';
        width = number(parts.group("width"), 0);
        group = parts.group("group") == null ? "" : parts.group("group");
        precision = (int) Math.min(number(parts.group("precision"), -1), Integer.MAX_VALUE);
        type = first(parts.group("type"));
    }

    private static char first(String part) {
        return part == null ? 0 : part.charAt(0);
    }

    private static long number(String digits, long absent) {
        return digits == null ? absent : digits.length() > 15 ? Long.MAX_VALUE / 4 : Long.parseLong(digits);
    }

    private JinjaException invalid() {
        return new JinjaException("the format '" + spec + "' is not valid for this value");
    }

    static TrackedString format(Budget budget, Object value, TrackedString spec) {
        if (spec.length() == 0) {
            return Representation.str(budget, value);
        }
        FormatSpec format = new FormatSpec(budget, spec.toString());
        if (value instanceof TrackedString s) {
            return format.string(s, spec);
        } else if (value instanceof Double
                || Numbers.isInteger(value) && "eEfFgG%".indexOf(format.type) >= 0 && format.type != 0) {
            return format.decimal(Numbers.toDouble(value), spec);
        } else if (Numbers.isInteger(value)) {
            return format.integer(Numbers.big(value), spec);
        }
        throw new JinjaException("a value of type " + Values.type(value) + " takes no format");
    }

    private TrackedString string(TrackedString value, TrackedString origin) {
        if (type != 0 && type != 's' || sign != 0 || alternate || noNegativeZero || !group.isEmpty() || align == '=') {
            throw invalid();
        }
        int length = PythonStrings.length(value);
        TrackedString cut = precision >= 0 && precision < length ? PythonStrings.pick(value, 0, 1, precision) : value;
        return pad(cut, align == 0 ? '<' : align, origin);
    }

    private TrackedString pad(TrackedString text, char alignment, TrackedString origin) {
        long missing = Math.max(0, width - PythonStrings.length(text));
        long before = alignment == '<' ? 0 : alignment == '^' ? missing / 2 : missing;
        TrackedStringBuilder padded = new TrackedStringBuilder(budget);
        budget.chars(missing);
        for (long i = 0; i < before; i++) {
            padded.appendCodePoint(fill, origin.isTrusted());
        }
        padded.append(text);
        for (long i = before; i < missing; i++) {
            padded.appendCodePoint(fill, origin.isTrusted());
        }
        return padded.build();
    }

    private TrackedString integer(BigInteger value, TrackedString origin) {
        if (precision >= 0) {
            throw invalid();
        }
        BigInteger size = value.abs();
        switch (type) {
            case 0, 'd', 'n':
                return number(value.signum() < 0, "", Numbers.text(size), "", 3, origin);
            case 'b':
                return number(value.signum() < 0, alternate ? "0b" : "", size.toString(2), "", 4, origin);
            case 'o':
                return number(value.signum() < 0, alternate ? "0o" : "", size.toString(8), "", 4, origin);
            case 'x':
                return number(value.signum() < 0, alternate ? "0x" : "", size.toString(16), "", 4, origin);
            case 'X':
                String upper = size.toString(16).toUpperCase(Locale.ROOT);
                return number(value.signum() < 0, alternate ? "0X" : "", upper, "", 4, origin);
            case 'c':
                if (sign != 0 || alternate || !group.isEmpty()) {
                    throw invalid();
                }
                return pad(character(value), align == 0 ? '<' : align, origin);
            default:
                throw invalid();
        }
    }

    /** The character of a code point; untrusted, as its number may come from anywhere. */
    static TrackedString character(BigInteger codePoint) {
        if (codePoint.signum() < 0 || codePoint.bitLength() > 31 || !Character.isValidCodePoint(codePoint.intValue())) {
            throw new JinjaException("%c needs a code point");
        }
        return TrackedString.untrusted(Character.toString(codePoint.intValue()));
    }

    private TrackedString decimal(double value, TrackedString origin) {
        if (type == 0 && precision < 0 && Double.isFinite(value)) {
            String text = Numbers.text(Math.abs(value));
            int point = text.indexOf('.') >= 0
                    ? text.indexOf('.')
                    : text.indexOf('e') >= 0 ? text.indexOf('e') : text.length();
            return number(isNegative(value, text), "", text.substring(0, point), text.substring(point), 3, origin);
        }
        if (type != 0 && "eEfFgGn%".indexOf(type) < 0) {
            throw invalid();
        }
        double scaled = type == '%' ? value * 100 : value;
        char form = type == '%' ? 'f' : type == 0 || type == 'n' ? 'g' : type;
        String text = digits(Math.abs(scaled), form, precision, alternate, type == 0) + (type == '%' ? "%" : "");
        int point = 0;
        while (point < text.length() && Character.isDigit(text.charAt(point))) {
            point++;
        }
        if (!Double.isFinite(value)) {
            point = text.length();
        }
        return number(isNegative(scaled, text), "", text.substring(0, point), text.substring(point), 3, origin);
    }

    private boolean isNegative(double value, String text) {
        boolean negative = Double.compare(value, 0.0) < 0;
        return negative && !(noNegativeZero && text.chars().noneMatch(c -> c >= '1' && c <= '9'));
    }

    /** Adds sign, separators and padding. */
    private TrackedString number(
            boolean negative, String prefix, String whole, String rest, int groupSize, TrackedString origin) {
        String head = (negative ? "-" : sign == '+' ? "+" : sign == ' ' ? " " : "") + prefix;
        String digits = grouped(whole, groupSize);
        if (zeroPadded && width > 0) {
            budget.chars(width);
            if (group.isEmpty()) {
                long missing = width - head.length() - digits.length() - rest.length();
                digits = "0".repeat((int) Math.max(0, missing)) + digits;
            } else {
                String zeros = whole;
                while (head.length() + digits.length() + rest.length() < width) {
                    long missing = width - head.length() - digits.length() - rest.length();
                    zeros = "0".repeat((int) Math.max(1, missing * groupSize / (groupSize + 1))) + zeros;
                    digits = grouped(zeros, groupSize);
                }
            }
        }
        if (align == '=') {
            long missing = Math.max(0, width - head.length() - digits.length() - rest.length());
            budget.chars(missing);
            digits = Character.toString(fill).repeat((int) missing) + digits;
        }
        TrackedString text = TrackedString.trusted(head + digits + rest);
        return pad(origin.derive(text.toString()), align == 0 || align == '=' ? '>' : align, origin);
    }

    private String grouped(String digits, int size) {
        if (group.isEmpty() || digits.isEmpty() || !Character.isLetterOrDigit(digits.charAt(0))) {
            return digits;
        }
        if (type == 'n' || size == 4 && group.equals(",")) {
            throw invalid();
        }
        StringBuilder grouped = new StringBuilder(digits);
        for (int i = digits.length() - size; i > 0; i -= size) {
            grouped.insert(i, group);
        }
        return grouped.toString();
    }

    /**
     * A non-negative float without sign.
     *
     * @param form e, f or g; upper case for upper case output
     * @param precision -1 for the default of 6
     * @param pointRequired whether g keeps a fraction, as str does
     */
    static String digits(double value, char form, int precision, boolean alternate, boolean pointRequired) {
        boolean upper = Character.isUpperCase(form);
        if (!Double.isFinite(value)) {
            String text = Double.isNaN(value) ? "nan" : "inf";
            return upper ? text.toUpperCase(Locale.ROOT) : text;
        }
        if (precision > MAX_PRECISION) {
            throw new JinjaException("a precision above " + MAX_PRECISION + " is not supported");
        }
        int places = precision < 0 ? 6 : precision;
        BigDecimal exact = new BigDecimal(value);
        String text = switch (Character.toLowerCase(form)) {
            case 'f' -> withPoint(exact.setScale(places, RoundingMode.HALF_EVEN).toPlainString(), alternate);
            case 'e' -> scientific(exact, places, alternate);
            default -> general(exact, Math.max(1, places), alternate, pointRequired);
        };
        return upper ? text.toUpperCase(Locale.ROOT) : text;
    }

    private static String withPoint(String digits, boolean alternate) {
        return alternate && digits.indexOf('.') < 0 ? digits + "." : digits;
    }

    private static String scientific(BigDecimal value, int places, boolean alternate) {
        BigDecimal rounded = value.round(new MathContext(places + 1, RoundingMode.HALF_EVEN));
        int exponent = value.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        String digits = rounded.unscaledValue().toString();
        digits = value.signum() == 0 ? "0" : digits;
        digits = digits + "0".repeat(Math.max(0, places + 1 - digits.length()));
        digits = digits.substring(0, places + 1);
        String mantissa = places == 0 ? withPoint(digits, alternate) : digits.charAt(0) + "." + digits.substring(1);
        return mantissa + exponentText(exponent);
    }

    private static String exponentText(int exponent) {
        return "e" + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }

    private static String general(BigDecimal value, int significant, boolean alternate, boolean pointRequired) {
        BigDecimal rounded = value.round(new MathContext(significant, RoundingMode.HALF_EVEN));
        int exponent = value.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        if (exponent < -4 || exponent >= significant - (pointRequired ? 1 : 0)) {
            String text = scientific(value, significant - 1, alternate);
            int e = text.indexOf('e');
            return (alternate ? text.substring(0, e) : trimmed(text.substring(0, e))) + text.substring(e);
        }
        String plain = rounded.setScale(Math.max(0, significant - 1 - exponent), RoundingMode.HALF_EVEN)
                .toPlainString();
        if (alternate) {
            return withPoint(plain, true);
        }
        String text = trimmed(plain);
        return pointRequired && text.indexOf('.') < 0 ? text + ".0" : text;
    }

    /** Without trailing zeros of the fraction. */
    private static String trimmed(String digits) {
        return digits.indexOf('.') < 0 ? digits : digits.replaceFirst("\\.?0+$", "");
    }
}
