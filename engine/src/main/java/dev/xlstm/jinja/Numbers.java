package dev.xlstm.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.regex.Pattern;

/** Python's int and float. An int is a Long, or a BigInteger beyond its range; a Boolean counts as 0 or 1. */
final class Numbers {

    private static final Pattern FLOAT = Pattern.compile(
            "[+-]?(?:(?:\\d+(?:_\\d+)*+)?\\.\\d+(?:_\\d+)*+|\\d+(?:_\\d+)*+\\.?)(?:e[+-]?\\d+(?:_\\d+)*+)?",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern DIGITS = Pattern.compile("[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*+");

    /** Python refuses to print longer integers. */
    private static final int MAX_DIGITS = 4300;

    private Numbers() {}

    static boolean isNumber(Object value) {
        return value instanceof Double || isInteger(value);
    }

    /** Whether the value is an int, or a bool, which counts as one. */
    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
    }

    static BigInteger big(Object integer) {
        if (integer instanceof BigInteger big) {
            return big;
        }
        return BigInteger.valueOf(integer instanceof Boolean b ? (b ? 1 : 0) : (Long) integer);
    }

    /** An int as a Long where it fits. */
    static Object integer(BigInteger value) {
        if (value.bitLength() < 64) {
            return value.longValue();
        }
        if (value.bitLength() > JinjaLimits.INTEGER_BITS) {
            throw new JinjaException("an integer has more than " + JinjaLimits.INTEGER_BITS + " bits");
        }
        return value;
    }

    static boolean fitsLong(Object integer) {
        return !(integer instanceof BigInteger);
    }

    private static long small(Object integer) {
        return integer instanceof Boolean b ? (b ? 1 : 0) : (Long) integer;
    }

    static double toDouble(Object number) {
        if (number instanceof Double d) {
            return d;
        }
        double value = number instanceof BigInteger big ? big.doubleValue() : small(number);
        if (Double.isInfinite(value)) {
            throw new JinjaException("the integer is too large for a float");
        }
        return value;
    }

    private static BigDecimal exact(Object number) {
        return number instanceof Double d ? new BigDecimal(d) : new BigDecimal(big(number));
    }

    /** Compares by exact value; NaN is not equal to anything. */
    static boolean equal(Object a, Object b) {
        if (a instanceof Double x && b instanceof Double y) {
            return x.doubleValue() == y.doubleValue();
        }
        return !isNaN(a) && !isNaN(b) && compare(a, b) == 0;
    }

    static boolean isNaN(Object number) {
        return number instanceof Double d && Double.isNaN(d);
    }

    /** Neither may be NaN. */
    static int compare(Object a, Object b) {
        if (a instanceof Double x && b instanceof Double y) {
            return Double.compare(x + 0.0, y + 0.0); // -0.0 equals 0.0
        }
        if (a instanceof Double x && Double.isInfinite(x)) {
            return x > 0 ? 1 : -1;
        }
        if (b instanceof Double y && Double.isInfinite(y)) {
            return y > 0 ? -1 : 1;
        }
        if (fitsLong(a) && fitsLong(b) && !(a instanceof Double) && !(b instanceof Double)) {
            return Long.compare(small(a), small(b));
        }
        return exact(a).compareTo(exact(b));
    }

    static Object negate(Object number) {
        return number instanceof Double d ? (Object) (-d) : integer(big(number).negate());
    }

    static Object abs(Object number) {
        return number instanceof Double d
                ? (Object) Math.abs(d)
                : integer(big(number).abs());
    }

    /** {@code + - * / // % **}. */
    static Object arithmetic(Budget budget, String operator, Object a, Object b) {
        if (operator.equals("/")) {
            return divide(a, b);
        }
        if (a instanceof Double || b instanceof Double) {
            return floats(operator, toDouble(a), toDouble(b));
        }
        if (operator.equals("**")) {
            return power(budget, a, b);
        }
        boolean division = operator.equals("//") || operator.equals("%");
        if (division && big(b).signum() == 0) {
            throw divisionByZero();
        }
        if (fitsLong(a) && fitsLong(b)) {
            long x = small(a);
            long y = small(b);
            long low = x * y;
            switch (operator) {
                case "+":
                    if (((x ^ (x + y)) & (y ^ (x + y))) >= 0) {
                        return x + y;
                    }
                    break;
                case "-":
                    if (((x ^ y) & (x ^ (x - y))) >= 0) {
                        return x - y;
                    }
                    break;
                case "*":
                    if (Math.multiplyHigh(x, y) == low >> 63) {
                        return low;
                    }
                    break;
                default:
                    if (x != Long.MIN_VALUE) {
                        return operator.equals("//") ? Math.floorDiv(x, y) : Math.floorMod(x, y);
                    }
            }
        }
        BigInteger x = big(a);
        BigInteger y = big(b);
        budget.chars((x.bitLength() + (long) y.bitLength()) / 8);
        switch (operator) {
            case "+":
                return integer(x.add(y));
            case "-":
                return integer(x.subtract(y));
            case "*":
                return integer(x.multiply(y));
            default:
                BigInteger[] parts = x.divideAndRemainder(y);
                boolean down = parts[1].signum() != 0 && parts[1].signum() != y.signum();
                if (operator.equals("//")) {
                    return integer(down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
                }
                return integer(down ? parts[1].add(y) : parts[1]);
        }
    }

    private static JinjaException divisionByZero() {
        return new JinjaException("division by zero");
    }

    private static Object divide(Object a, Object b) {
        if (b instanceof Double ? (Double) b == 0 : big(b).signum() == 0) {
            throw divisionByZero();
        }
        if (a instanceof Double || b instanceof Double) {
            return toDouble(a) / toDouble(b);
        }
        if (big(a).bitLength() <= 53 && big(b).bitLength() <= 53) {
            return toDouble(a) / toDouble(b);
        }
        double quotient = new BigDecimal(big(a))
                .divide(new BigDecimal(big(b)), new MathContext(40))
                .doubleValue();
        if (Double.isInfinite(quotient)) {
            throw new JinjaException("the quotient is too large for a float");
        }
        return quotient;
    }

    private static Object power(Budget budget, Object a, Object b) {
        BigInteger base = big(a);
        BigInteger exponent = big(b);
        if (exponent.signum() < 0) {
            return floats("**", toDouble(a), toDouble(b));
        }
        if (base.bitLength() <= 1 && base.signum() >= 0) { // 0 or 1
            return exponent.signum() == 0 ? 1L : integer(base);
        }
        if (base.equals(BigInteger.ONE.negate())) {
            return exponent.testBit(0) ? -1L : 1L;
        }
        if (exponent.bitLength() > 31 || exponent.longValue() * base.bitLength() > JinjaLimits.INTEGER_BITS) {
            throw new JinjaException("an integer has more than " + JinjaLimits.INTEGER_BITS + " bits");
        }
        budget.chars(exponent.longValue() * base.bitLength() / 8);
        return integer(base.pow(exponent.intValue()));
    }

    private static double floats(String operator, double a, double b) {
        switch (operator) {
            case "+":
                return a + b;
            case "-":
                return a - b;
            case "*":
                return a * b;
            case "**":
                return power(a, b);
            default:
                break;
        }
        if (b == 0) {
            throw divisionByZero();
        }
        double remainder = a % b;
        double quotient = (a - remainder) / b;
        if (remainder != 0 && b < 0 != remainder < 0) {
            remainder += b;
            quotient -= 1;
        } else if (remainder == 0) {
            remainder = Math.copySign(0, b);
        }
        if (operator.equals("%")) {
            return remainder;
        }
        if (quotient == 0) {
            return Math.copySign(0, a / b);
        }
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double power(double a, double b) {
        if (a == 1 || b == 0) {
            return 1;
        }
        if (a == 0 && b < 0) {
            throw divisionByZero();
        }
        if (a < 0 && Double.isFinite(a) && Double.isFinite(b) && b != Math.rint(b)) {
            throw new JinjaException("'**' of a negative number and a fraction is a complex number");
        }
        if (a == -1 && Double.isInfinite(b)) {
            return 1;
        }
        double result = Math.pow(a, b);
        if (Double.isInfinite(result) && Double.isFinite(a) && Double.isFinite(b)) {
            throw new JinjaException("the result of '**' is too large");
        }
        return result;
    }

    /** Python's {@code round}: half to even; an int stays an int. */
    static Object round(Object number, long digits) {
        if (number instanceof Double d) {
            if (!Double.isFinite(d) || d == 0 || digits > 400) {
                return d;
            }
            int scale = (int) Math.max(digits, -400);
            double rounded =
                    new BigDecimal(d).setScale(scale, RoundingMode.HALF_EVEN).doubleValue();
            if (Double.isInfinite(rounded)) {
                throw new JinjaException("the rounded value is too large");
            }
            return Math.copySign(rounded, d);
        }
        if (digits >= 0) {
            return integer(big(number));
        }
        int scale = (int) Math.max(digits, -JinjaLimits.INTEGER_BITS);
        return integer(new BigDecimal(big(number))
                .setScale(scale, RoundingMode.HALF_EVEN)
                .toBigInteger());
    }

    /** {@code int(float)}. */
    static Object truncate(double value) {
        if (!Double.isFinite(value)) {
            throw new JinjaException("cannot convert float " + text(value) + " to an integer");
        }
        return integer(new BigDecimal(value).toBigInteger());
    }

    /** Python's {@code int(text, base)}; null if the text is not a number of that base. */
    static Object parseInteger(String text, long base) {
        String digits = text.strip();
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        long radix = base;
        String prefix = digits.length() > 1 && digits.charAt(0) == '0' ? digits.substring(1, 2) : "";
        long prefixRadix = "xX".contains(prefix) && !prefix.isEmpty()
                ? 16
                : "oO".contains(prefix) && !prefix.isEmpty() ? 8 : "bB".contains(prefix) && !prefix.isEmpty() ? 2 : 0;
        if (prefixRadix != 0 && (radix == 0 || radix == prefixRadix)) {
            radix = prefixRadix;
            digits = digits.substring(2);
            digits = digits.startsWith("_") ? digits.substring(1) : digits;
        } else if (radix == 0) {
            radix = 10;
            if (digits.startsWith("0") && !digits.matches("0+(?:_0+)*+")) {
                return null;
            }
        }
        digits = asciiDigits(digits);
        if (radix < 2 || radix > 36 || !DIGITS.matcher(digits).matches()) {
            return null;
        }
        String plain = digits.replace("_", "");
        if (plain.length() > MAX_DIGITS) {
            return null;
        }
        try {
            BigInteger value = new BigInteger(plain, (int) radix);
            return integer(negative ? value.negate() : value);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Replaces the decimal digits of all scripts, which Python accepts, by ASCII ones. */
    private static String asciiDigits(String text) {
        if (text.chars().allMatch(c -> c < 128)) {
            return text;
        }
        StringBuilder ascii = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c >= 128 && Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER) {
                ascii.append(Character.digit(c, 10));
            } else {
                ascii.appendCodePoint(c);
            }
        });
        return ascii.toString();
    }

    /** Python's {@code float(text)}; null if the text is not a number. */
    static Double parseFloat(String text) {
        String stripped = asciiDigits(
                PythonStrings.strip(TrackedString.trusted(text), null).toString());
        String unsigned = stripped.startsWith("-") || stripped.startsWith("+") ? stripped.substring(1) : stripped;
        double sign = stripped.startsWith("-") ? -1 : 1;
        if (unsigned.equalsIgnoreCase("inf") || unsigned.equalsIgnoreCase("infinity")) {
            return sign * Double.POSITIVE_INFINITY;
        } else if (unsigned.equalsIgnoreCase("nan")) {
            return Double.NaN;
        }
        return FLOAT.matcher(stripped).matches() ? Double.parseDouble(stripped.replace("_", "")) : null;
    }

    /** Python's {@code str} of a number. */
    static String text(Object number) {
        if (number instanceof Boolean b) {
            return b ? "True" : "False";
        } else if (number instanceof Double d) {
            return floatText(d);
        } else if (number instanceof BigInteger big) {
            if (big.bitLength() > 14_284) { // 4300 digits have 14,281 to 14,284 bits
                throw new JinjaException("an integer has more than " + MAX_DIGITS + " digits");
            }
            return big.toString();
        }
        return number.toString();
    }

    /** The shortest decimal that reads back as the same double, in Python's layout. */
    private static String floatText(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        if (decimal.precision() == 2) { // Java writes two digits even where one is enough, such as in 5e-324
            BigDecimal shorter = decimal.round(new MathContext(1, RoundingMode.HALF_EVEN));
            decimal = shorter.doubleValue() == value ? shorter.stripTrailingZeros() : decimal;
        }
        int exponent = decimal.precision() - decimal.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = decimal.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = decimal.unscaledValue().abs().toString();
        return (value < 0 ? "-" : "") + digits.charAt(0) + (digits.length() > 1 ? "." + digits.substring(1) : "") + "e"
                + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }
}
