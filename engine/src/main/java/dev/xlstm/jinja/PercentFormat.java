package dev.xlstm.jinja;

import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code format % values}. */
final class PercentFormat {

    private static final Pattern CONVERSION = Pattern.compile(
            "%(?:\\((?<key>[^()]*)\\))?(?<flags>[-+ #0]*)(?<width>\\*|[0-9]+)?(?:\\.(?<precision>\\*|[0-9]*))?[hlL]?"
                    + "(?<type>[a-zA-Z%])",
            Pattern.DOTALL);

    private final Budget budget;
    private final TrackedString format;
    private final Object values;
    private final List<Object> arguments; // the items of a tuple, or the one value
    private int next;

    private PercentFormat(Budget budget, TrackedString format, Object values) {
        this.budget = budget;
        this.format = format;
        this.values = values;
        arguments =
                values instanceof Tuple tuple ? tuple.items() : Tuple.of(values).items();
    }

    static TrackedString format(Budget budget, TrackedString format, Object values) {
        TrackedString text = new PercentFormat(budget, format, values).format();
        return format.isMarkup() ? text.asMarkup() : text;
    }

    private TrackedString format() {
        TrackedStringBuilder out = new TrackedStringBuilder(budget);
        String s = format.toString();
        Matcher conversion = CONVERSION.matcher(s);
        int from = 0;
        for (int at = s.indexOf('%'); at >= 0; at = s.indexOf('%', from)) {
            out.append(format, from, at);
            if (!conversion.region(at, s.length()).lookingAt()) {
                throw new JinjaException("the format '" + s + "' has an incomplete conversion");
            }
            from = conversion.end();
            if (conversion.group().equals("%%")) {
                out.append(format, at, at + 1);
            } else {
                convert(conversion, out);
            }
        }
        boolean mapping = values instanceof Dict || values instanceof Undefined || Values.sequence(values) != null;
        if (next < arguments.size() && (values instanceof Tuple || !mapping)) {
            throw new JinjaException("not all arguments are used by the format '" + s + "'");
        }
        return out.append(format, from, s.length()).build();
    }

    private Object nextArgument() {
        if (next >= arguments.size()) {
            throw new JinjaException("not enough arguments for the format '" + format + "'");
        }
        return arguments.get(next++);
    }

    private void convert(Matcher conversion, TrackedStringBuilder out) {
        String key = conversion.group("key");
        Object keyed = null;
        if (key != null) {
            TrackedString name = TrackedString.trusted(key);
            if (!(values instanceof Dict dict) || !dict.contains(name)) {
                throw new JinjaException("the format needs a value for '" + key + "'");
            }
            keyed = dict.get(name, null);
        }
        String flags = conversion.group("flags");
        boolean left = flags.contains("-");
        long width = 0;
        if ("*".equals(conversion.group("width"))) {
            width = Values.integer(nextArgument());
            left |= width < 0;
            width = Math.abs(width);
        } else if (conversion.group("width") != null) {
            width = size(conversion.group("width"));
        }
        long precision = -1;
        if ("*".equals(conversion.group("precision"))) {
            precision = Math.max(0, Values.integer(nextArgument()));
        } else if (conversion.group("precision") != null) {
            precision = size(conversion.group("precision"));
        }
        Object value = key != null ? keyed : nextArgument();
        char type = conversion.group("type").charAt(0);
        boolean number = "diuoxXeEfFgG".indexOf(type) >= 0;
        TrackedString text = number
                ? TrackedString.trusted(number(value, type, flags, (int) Math.min(precision, Integer.MAX_VALUE)))
                : text(value, type, precision);
        long missing = Math.max(0, width - PythonStrings.length(text));
        if (left) {
            out.append(text).fill(' ', missing);
        } else if (number && flags.contains("0")) {
            String digits = text.toString();
            int head = digits.startsWith("-") || digits.startsWith("+") || digits.startsWith(" ") ? 1 : 0;
            head += digits.startsWith("0x", head) || digits.startsWith("0X", head) || digits.startsWith("0o", head)
                    ? 2
                    : 0;
            out.append(digits.substring(0, head)).fill('0', missing).append(digits.substring(head));
        } else {
            out.fill(' ', missing).append(text);
        }
    }

    private static long size(String digits) {
        return digits.isEmpty() ? 0 : digits.length() > 15 ? Long.MAX_VALUE / 4 : Long.parseLong(digits);
    }

    private TrackedString text(Object value, char type, long precision) {
        TrackedString text;
        switch (type) {
            case 's':
                text = value instanceof TrackedString s ? s : Representation.str(budget, value);
                break;
            case 'r':
                text = Representation.repr(budget, value);
                break;
            case 'a':
                text = ascii(budget, value);
                break;
            case 'c':
                if (value instanceof TrackedString s && PythonStrings.length(s) == 1) {
                    return s;
                } else if (!Numbers.isInteger(value)) {
                    throw new JinjaException("%c needs an integer or one character");
                }
                return FormatSpec.character(Numbers.big(value));
            case '%':
                return TrackedString.trusted("%");
            default:
                throw new JinjaException("the format character '" + type + "' is not known");
        }
        if (format.isMarkup()) {
            text = Markup.escape(budget, text);
        }
        return precision >= 0 && precision < PythonStrings.length(text)
                ? PythonStrings.pick(text, 0, 1, (int) precision)
                : text;
    }

    /** Python's {@code ascii(value)}. */
    static TrackedString ascii(Budget budget, Object value) {
        TrackedString text = Representation.repr(budget, value);
        TrackedStringBuilder ascii = new TrackedStringBuilder(budget);
        for (Object character : PythonStrings.characters(text)) {
            TrackedString c = (TrackedString) character;
            int codePoint = c.toString().codePointAt(0);
            ascii.append(
                    codePoint < 0x80
                            ? c
                            : c.derive(String.format(
                                    codePoint < 0x100 ? "\\x%02x" : codePoint < 0x10000 ? "\\u%04x" : "\\U%08x",
                                    codePoint)));
        }
        return ascii.build();
    }

    private String number(Object value, char type, String flags, int precision) {
        if (value instanceof Undefined u) {
            throw u.error();
        } else if (!Numbers.isNumber(value)) {
            throw new JinjaException("%" + type + " needs a number, not " + Values.type(value));
        }
        boolean alternate = flags.contains("#");
        String digits;
        boolean negative;
        if ("eEfFgG".indexOf(type) >= 0) {
            double number = Numbers.toDouble(value);
            negative = Double.compare(number, 0.0) < 0;
            digits = FormatSpec.digits(Math.abs(number), type, precision, alternate, false);
        } else {
            boolean decimal = "diu".indexOf(type) >= 0;
            if (value instanceof Double && !decimal) {
                throw new JinjaException("%" + type + " needs an integer, not float");
            }
            BigInteger number = Numbers.big(value instanceof Double d ? Numbers.truncate(d) : value);
            negative = number.signum() < 0;
            BigInteger size = number.abs();
            digits = decimal ? Numbers.text(size) : size.toString(type == 'o' ? 8 : 16);
            if (precision > 10_000) {
                throw new JinjaException("a precision above 10000 is not supported");
            }
            digits = "0".repeat(Math.max(0, precision - digits.length())) + digits;
            digits = (alternate && !decimal ? "0" + type : "") + digits;
            digits = type == 'X' ? digits.toUpperCase(Locale.ROOT) : digits;
            digits = alternate && type == 'X' ? "0X" + digits.substring(2) : digits;
        }
        return (negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "") + digits;
    }
}
