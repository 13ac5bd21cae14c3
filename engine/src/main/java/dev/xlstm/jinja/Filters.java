package dev.xlstm.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** jinja2's filters: those of strings and numbers here, those of sequences in {@link SequenceFilters}. */
final class Filters {

    private static final Set<String> NAMES = Set.of(
            "abs",
            "attr",
            "batch",
            "capitalize",
            "center",
            "count",
            "d",
            "default",
            "dictsort",
            "e",
            "escape",
            "filesizeformat",
            "first",
            "float",
            "forceescape",
            "format",
            "groupby",
            "indent",
            "int",
            "items",
            "join",
            "last",
            "length",
            "list",
            "lower",
            "map",
            "max",
            "min",
            "pprint",
            "random",
            "reject",
            "rejectattr",
            "replace",
            "reverse",
            "round",
            "safe",
            "select",
            "selectattr",
            "slice",
            "sort",
            "string",
            "striptags",
            "sum",
            "title",
            "tojson",
            "trim",
            "truncate",
            "unique",
            "upper",
            "urlencode",
            "urlize",
            "wordcount",
            "wordwrap",
            "xmlattr");

    private final Budget budget;
    private final String name;
    private final Object value;
    private final Arguments arguments;

    private Filters(Budget budget, String name, Object value, Arguments arguments) {
        this.budget = budget;
        this.name = name;
        this.value = value;
        this.arguments = arguments;
    }

    /** Whether jinja2 has the filter. */
    static boolean has(String name) {
        return NAMES.contains(name);
    }

    /**
     * @throws JinjaException if there is no such filter, or if it is not supported
     */
    static Object apply(Budget budget, String name, Object value, Arguments arguments) {
        return new Filters(budget, name, value, arguments).apply();
    }

    private Object apply() {
        return switch (name) {
            case "abs" -> {
                bind(0);
                yield Numbers.abs(number());
            }
            case "attr" -> attribute(bind(1, "name").string(0).toString());
            case "capitalize" -> {
                bind(0);
                yield PythonStrings.capitalize(budget, soft());
            }
            case "center" ->
                StringMethods.call(
                        budget, soft(), "center", Arguments.of(bind(0, "width").integer(0, 80)));
            case "d", "default" -> {
                Arguments.Bound bound = bind(0, "default_value", "boolean");
                boolean missing = value instanceof Undefined || bound.flag(1) && !Values.truth(value);
                yield missing ? bound.get(0, TrackedString.EMPTY) : value;
            }
            case "e", "escape" -> {
                bind(0);
                yield Markup.escape(budget, value);
            }
            case "filesizeformat" -> fileSize(bind(0, "binary").flag(0));
            case "float" -> toFloat(bind(0, "default").get(0, 0.0));
            case "forceescape" -> {
                bind(0);
                yield Markup.escapeText(budget, Representation.str(budget, value));
            }
            case "format" -> {
                if (!arguments.named().isEmpty() && !arguments.positional().isEmpty()) {
                    throw new JinjaException("format takes arguments by position or by name, not both");
                }
                Object values =
                        arguments.named().isEmpty() ? new Tuple(arguments.positional()) : arguments.namedAsDict();
                yield PercentFormat.format(budget, soft(), values);
            }
            case "indent" -> indent(bind(0, "width", "first", "blank"));
            case "int" -> toInteger(bind(0, "default", "base"));
            case "count", "length" -> {
                bind(0);
                yield Values.length(value);
            }
            case "lower" -> {
                bind(0);
                yield PythonStrings.lower(budget, soft());
            }
            case "replace" -> {
                Arguments.Bound bound = bind(2, "old", "new", "count");
                yield PythonStrings.replace(
                        budget,
                        text(value),
                        text(bound.get(0)).toString(),
                        text(bound.get(1)),
                        bound.integerOrNone(2, -1));
            }
            case "round" -> round(bind(0, "precision", "method"));
            case "safe" -> {
                bind(0);
                yield soft().asMarkup();
            }
            case "string" -> {
                bind(0);
                yield soft();
            }
            case "striptags" -> {
                bind(0);
                yield Markup.stripTags(budget, text(value));
            }
            case "title" -> {
                bind(0);
                yield title(soft());
            }
            case "tojson" -> Json.write(budget, value, bind(0, "ensure_ascii", "indent", "separators", "sort_keys"));
            case "trim" -> PythonStrings.strip(soft(), bind(0, "chars").stringOrNull(0));
            case "truncate" -> truncate(bind(0, "length", "killwords", "end", "leeway"));
            case "upper" -> {
                bind(0);
                yield PythonStrings.upper(budget, soft());
            }
            case "urlencode" -> {
                bind(0);
                yield urlEncode();
            }
            case "wordcount" -> {
                bind(0);
                yield wordCount(soft().toString());
            }
            case "xmlattr" -> xmlAttributes(bind(0, "autospace"));
            case "pprint", "random", "urlize", "wordwrap" ->
                throw new JinjaException("the filter '" + name + "' is not supported");
            default -> {
                if (!has(name)) {
                    throw new JinjaException("no filter named '" + name + "' is known");
                }
                yield SequenceFilters.apply(budget, name, value, arguments);
            }
        };
    }

    private Arguments.Bound bind(int required, String... names) {
        return arguments.bind(name, required, names);
    }

    private TrackedString text(Object any) {
        return Representation.str(budget, any);
    }

    /** The value as a string; a string stays as it is. */
    private TrackedString soft() {
        return value instanceof TrackedString s ? s : text(value);
    }

    private Object number() {
        if (value instanceof Undefined u) {
            throw u.error();
        } else if (!Numbers.isNumber(value)) {
            throw new JinjaException("the filter '" + name + "' needs a number, not " + Values.type(value));
        }
        return value;
    }

    private Object attribute(String attribute) {
        if (value instanceof Undefined u) {
            throw u.error();
        }
        Object member = Members.of(value, attribute);
        return member == Members.ABSENT ? Undefined.member(value, "'" + attribute + "'") : member;
    }

    private TrackedString indent(Arguments.Bound bound) {
        TrackedString text = Values.string(value);
        TrackedString space;
        if (bound.get(0, null) instanceof TrackedString s) {
            space = s;
        } else {
            long width = bound.integer(0, 4);
            budget.chars(Math.max(0, width));
            space = TrackedString.trusted(" ".repeat((int) Math.max(0, width)));
        }
        boolean blank = bound.flag(2);
        TrackedStringBuilder result = new TrackedStringBuilder(budget);
        budget.items(text.length());
        List<Object> lines = PythonStrings.splitLines(text.concat(TrackedString.trusted("\n")), false);
        for (int i = 0; i < lines.size(); i++) {
            TrackedString line = (TrackedString) lines.get(i);
            result.append(i == 0 ? "" : "\n");
            if (i == 0 ? bound.flag(1) : blank || line.length() > 0) {
                result.append(space);
            }
            result.append(line);
        }
        return text.isMarkup() ? result.build().asMarkup() : result.build();
    }

    private Object toInteger(Arguments.Bound bound) {
        Object fallback = bound.get(0, 0L);
        if (value instanceof Undefined u) {
            throw u.error();
        } else if (Numbers.isInteger(value)) {
            return Numbers.integer(Numbers.big(value));
        } else if (value instanceof Double d) {
            return Double.isNaN(d) ? fallback : Numbers.truncate(d);
        } else if (!(value instanceof TrackedString)) {
            return fallback;
        }
        String text = PythonStrings.strip((TrackedString) value, null).toString();
        Object integer = Numbers.parseInteger(text, bound.integer(1, 10));
        if (integer != null) {
            return integer;
        }
        Double real = Numbers.parseFloat(text);
        return real == null || !Double.isFinite(real) ? fallback : Numbers.truncate(real);
    }

    private Object toFloat(Object fallback) {
        if (value instanceof Undefined u) {
            throw u.error();
        } else if (Numbers.isNumber(value)) {
            return Numbers.toDouble(value);
        }
        Double real = value instanceof TrackedString s ? Numbers.parseFloat(s.toString()) : null;
        return real == null ? fallback : real;
    }

    private Object round(Arguments.Bound bound) {
        long precision = bound.integer(0, 0);
        String method = bound.string(1, "common").toString();
        if (!Set.of("common", "ceil", "floor").contains(method)) {
            throw new JinjaException("round: the method must be common, ceil or floor");
        }
        Object number = number();
        if (method.equals("common")) {
            return Numbers.round(number, precision);
        }
        Object scale = Numbers.arithmetic(budget, "**", 10L, precision);
        Object scaled = Numbers.arithmetic(budget, "*", number, scale);
        Object whole = scaled;
        if (scaled instanceof Double d) {
            RoundingMode mode = method.equals("ceil") ? RoundingMode.CEILING : RoundingMode.FLOOR;
            if (!Double.isFinite(d)) {
                throw new JinjaException("round: the value is not finite");
            }
            whole = Numbers.integer(new BigDecimal(d).setScale(0, mode).toBigInteger());
        }
        return Numbers.arithmetic(budget, "/", whole, scale);
    }

    /** Upper case for the first character of each word, lower case for the others. */
    private TrackedString title(TrackedString text) {
        TrackedStringBuilder result = new TrackedStringBuilder(budget);
        String s = text.toString();
        int from = 0;
        while (from < s.length()) {
            boolean separator = isWordSeparator(s.charAt(from));
            int end = from;
            while (end < s.length() && isWordSeparator(s.charAt(end)) == separator) {
                end++;
            }
            int first = s.offsetByCodePoints(from, 1);
            result.append(PythonStrings.upper(budget, text.substring(from, first)));
            result.append(PythonStrings.lower(budget, text.substring(first, end)));
            from = end;
        }
        return result.build();
    }

    private static boolean isWordSeparator(char c) {
        return PythonStrings.isSpace(c) || "-({[<".indexOf(c) >= 0;
    }

    private Object truncate(Arguments.Bound bound) {
        long length = bound.integer(0, 255);
        TrackedString end = bound.string(2, "...");
        long leeway = bound.integerOrNone(3, 5);
        int endLength = PythonStrings.length(end);
        if (length < endLength || leeway < 0) {
            throw new JinjaException("truncate: the length is less than that of the end, or the leeway is negative");
        }
        if (Values.length(value) <= Math.min(length, Integer.MAX_VALUE) + Math.min(leeway, Integer.MAX_VALUE)) {
            return value;
        }
        TrackedString cut = PythonStrings.pick(Values.string(value), 0, 1, (int) (length - endLength));
        if (!bound.flag(1)) {
            cut = (TrackedString) PythonStrings.rsplit(cut, " ", 1).getFirst();
        }
        return Markup.add(budget, cut, end);
    }

    private static long wordCount(String text) {
        long count = 0;
        boolean inWord = false;
        for (int c : text.codePoints().toArray()) {
            boolean word = c == '_' || PythonStrings.isAlphanumeric(c);
            count += word && !inWord ? 1 : 0;
            inWord = word;
        }
        return count;
    }

    private TrackedString fileSize(boolean binary) {
        double bytes = Numbers.toDouble(toFileSize());
        double base = binary ? 1024 : 1000;
        if (bytes == 1) {
            return TrackedString.trusted("1 Byte");
        } else if (bytes < base) {
            return TrackedString.trusted(Numbers.text(Numbers.truncate(bytes)) + " Bytes");
        }
        String prefixes = binary ? "KMGTPEZY" : "kMGTPEZY";
        double unit = base;
        int i = 0;
        while (i < prefixes.length() - 1 && bytes >= unit * base) {
            unit *= base;
            i++;
        }
        return TrackedString.trusted(FormatSpec.digits(base * bytes / (unit * base), 'f', 1, false, false) + " "
                + prefixes.charAt(i) + (binary ? "iB" : "B"));
    }

    private Object toFileSize() {
        Object bytes = value instanceof TrackedString s ? Numbers.parseFloat(s.toString()) : number();
        if (bytes == null) {
            throw new JinjaException("filesizeformat needs a number");
        }
        return bytes;
    }

    private TrackedString urlEncode() {
        if (value instanceof TrackedString s) {
            return urlQuote(s, false);
        } else if (!Values.isIterable(value)) {
            return urlQuote(text(value), false);
        }
        TrackedStringBuilder query = new TrackedStringBuilder(budget);
        List<Object> pairs = value instanceof Dict dict ? dict.items() : Values.items(budget, value);
        for (Object pair : pairs) {
            List<Object> items = Values.items(budget, pair);
            if (items.size() != 2) {
                throw new JinjaException("urlencode needs pairs of name and value");
            }
            query.append(query.length() == 0 ? "" : "&")
                    .append(urlQuote(text(items.get(0)), true))
                    .append("=")
                    .append(urlQuote(text(items.get(1)), true));
        }
        return query.build();
    }

    private TrackedString urlQuote(TrackedString text, boolean inQuery) {
        TrackedStringBuilder quoted = new TrackedStringBuilder(budget);
        for (Object character : PythonStrings.characters(text)) {
            TrackedString c = (TrackedString) character;
            char first = c.charAt(0);
            if (first < 0x80 && (Character.isLetterOrDigit(first) || "-._~".indexOf(first) >= 0)
                    || first == '/' && !inQuery) {
                quoted.append(c);
            } else if (first == ' ' && inQuery) {
                quoted.append("+", c.isTrusted());
            } else {
                for (byte b : c.toString().getBytes(StandardCharsets.UTF_8)) {
                    quoted.append(String.format("%%%02X", b), c.isTrusted());
                }
            }
        }
        return quoted.build();
    }

    private TrackedString xmlAttributes(Arguments.Bound bound) {
        if (!(value instanceof Dict dict)) {
            throw new JinjaException("xmlattr needs a dict, not " + Values.type(value));
        }
        List<Object> attributes = new ArrayList<>();
        for (Object key : dict.keys()) {
            Object item = dict.get(key, null);
            if (item == null || item instanceof Undefined) {
                continue;
            }
            String attribute = Values.string(key).toString();
            if (attribute.chars().anyMatch(c -> c < 0x80 && PythonStrings.isSpace(c) || "/>=".indexOf(c) >= 0)) {
                throw new JinjaException("xmlattr: '" + attribute + "' is not an attribute name");
            }
            attributes.add(new TrackedStringBuilder(budget)
                    .append(Markup.escape(budget, key))
                    .append("=\"")
                    .append(Markup.escape(budget, item))
                    .append("\"")
                    .build());
        }
        TrackedString text = PythonStrings.join(budget, TrackedString.trusted(" "), attributes);
        boolean space = !bound.has(0) || bound.flag(0);
        return space && text.length() > 0 ? TrackedString.trusted(" ").concat(text) : text;
    }
}
