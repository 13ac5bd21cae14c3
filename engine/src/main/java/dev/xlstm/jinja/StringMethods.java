package dev.xlstm.jinja;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** The methods of Python's str. */
final class StringMethods {

    private static final Set<String> NAMES = Set.of(
            "capitalize",
            "casefold",
            "center",
            "count",
            "encode",
            "endswith",
            "expandtabs",
            "find",
            "format",
            "format_map",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "isidentifier",
            "islower",
            "isnumeric",
            "isprintable",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "maketrans",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "translate",
            "upper",
            "zfill");

    private final Budget budget;
    private final TrackedString text;
    private final String name;
    private final Arguments arguments;

    private StringMethods(Budget budget, TrackedString text, String name, Arguments arguments) {
        this.budget = budget;
        this.text = text;
        this.name = name;
        this.arguments = arguments;
    }

    static boolean has(String name) {
        return NAMES.contains(name);
    }

    static Object call(Budget budget, TrackedString text, String name, Arguments arguments) {
        budget.steps(1 + text.length() / 64);
        Object result = new StringMethods(budget, text, name, arguments).call();
        return text.isMarkup() ? asMarkup(result) : result;
    }

    /** Methods of markup return markup. */
    private static Object asMarkup(Object result) {
        if (result instanceof TrackedString s) {
            return s.asMarkup();
        } else if (result instanceof Tuple tuple) {
            return new Tuple(tuple.items().stream().map(StringMethods::asMarkup).toList());
        }
        return result instanceof List<?> list
                ? list.stream().map(StringMethods::asMarkup).toList()
                : result;
    }

    private Object call() {
        String s = text.toString();
        return switch (name) {
            case "capitalize" -> none(PythonStrings.capitalize(budget, text));
            case "casefold" -> none(PythonStrings.casefold(budget, text));
            case "lower" -> none(PythonStrings.lower(budget, text));
            case "swapcase" -> none(PythonStrings.swapcase(budget, text));
            case "title" -> none(PythonStrings.title(budget, text));
            case "upper" -> none(PythonStrings.upper(budget, text));
            case "isalnum" -> none(PythonStrings.all(s, PythonStrings::isAlphanumeric));
            case "isalpha" -> none(PythonStrings.all(s, PythonStrings::isAlphabetic));
            case "isascii" -> none(s.chars().allMatch(c -> c < 0x80));
            case "isdecimal" -> none(PythonStrings.all(s, PythonStrings::isDecimal));
            case "isdigit" -> none(PythonStrings.all(s, PythonStrings::isDigit));
            case "isnumeric" -> none(PythonStrings.all(s, PythonStrings::isNumeric));
            case "isidentifier" -> none(isIdentifier(s));
            case "islower" -> none(PythonStrings.allCased(s, Character::isLowerCase));
            case "isupper" -> none(PythonStrings.allCased(s, Character::isUpperCase));
            case "istitle" -> none(PythonStrings.isTitle(s));
            case "isprintable" -> none(s.codePoints().allMatch(Representation::isPrintable));
            case "isspace" -> none(PythonStrings.all(s, PythonStrings::isSpace));
            case "strip" -> PythonStrings.strip(text, bind(0, "chars", "/").stringOrNull(0));
            case "lstrip" -> PythonStrings.lstrip(text, bind(0, "chars", "/").stringOrNull(0));
            case "rstrip" -> PythonStrings.rstrip(text, bind(0, "chars", "/").stringOrNull(0));
            case "center", "ljust", "rjust" -> pad(bind(1, "width", "fillchar", "/"));
            case "zfill" -> zeroFill(bind(1, "width", "/").integer(0));
            case "expandtabs" -> expandTabs(bind(0, "tabsize").integer(0, 8));
            case "find", "rfind", "index", "rindex", "count" -> find(bind(1, "sub", "start", "end", "/"));
            case "startswith", "endswith" -> affix(bind(1, "affix", "start", "end", "/"));
            case "removeprefix" -> {
                TrackedString prefix = bind(1, "prefix", "/").string(0);
                yield s.startsWith(prefix.toString()) ? text.substring(prefix.length()) : text;
            }
            case "removesuffix" -> {
                String suffix = bind(1, "suffix", "/").string(0).toString();
                yield s.endsWith(suffix) ? text.substring(0, s.length() - suffix.length()) : text;
            }
            case "replace" -> {
                Arguments.Bound bound = bind(2, "old", "new", "count");
                TrackedString with = Markup.argument(budget, text, bound.string(1));
                yield PythonStrings.replace(budget, text, bound.string(0).toString(), with, bound.integer(2, -1));
            }
            case "join" -> join(bind(1, "iterable", "/").get(0));
            case "split" -> split(bind(0, "sep", "maxsplit"));
            case "rsplit" -> split(bind(0, "sep", "maxsplit"));
            case "splitlines" -> {
                budget.items(s.length());
                yield PythonStrings.splitLines(text, bind(0, "keepends").flag(0));
            }
            case "partition", "rpartition" -> partition(bind(1, "sep", "/").string(0));
            case "format" -> BraceFormat.format(budget, text, arguments, arguments.namedAsDict());
            case "format_map" -> {
                if (!(bind(1, "mapping", "/").get(0) instanceof Dict mapping)) {
                    throw new JinjaException("format_map() needs a dict");
                }
                yield BraceFormat.format(budget, text, Arguments.NONE, mapping);
            }
            case "maketrans" -> makeTranslation(bind(1, "x", "y", "z", "/"));
            case "translate" -> translate(bind(1, "table", "/").get(0));
            default -> throw new JinjaException("the method str." + name + "() is not supported");
        };
    }

    private Arguments.Bound bind(int required, String... names) {
        return arguments.bind(name, required, names);
    }

    /** The result of a method without parameters. */
    private Object none(Object result) {
        bind(0);
        return result;
    }

    private static boolean isIdentifier(String s) {
        return !s.isEmpty()
                && s.indexOf('$') < 0
                && Character.isUnicodeIdentifierStart(s.codePointAt(0)) | s.charAt(0) == '_'
                && s.codePoints()
                        .allMatch(c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    private TrackedString pad(Arguments.Bound bound) {
        TrackedString fill = Markup.argument(budget, text, bound.string(1, " "));
        if (PythonStrings.length(fill) != 1) {
            throw new JinjaException(name + "() needs one character to fill with");
        }
        long width = bound.integer(0);
        int length = PythonStrings.length(text);
        long missing = Math.max(0, width - length);
        budget.chars(missing);
        // str.center puts the odd space to the left if the width is odd
        long before = name.equals("ljust") ? 0 : name.equals("rjust") ? missing : missing / 2 + (missing & width & 1);
        TrackedStringBuilder padded = new TrackedStringBuilder(budget);
        for (long i = 0; i < before; i++) {
            padded.append(fill);
        }
        padded.append(text);
        for (long i = before; i < missing; i++) {
            padded.append(fill);
        }
        return padded.build();
    }

    private TrackedString zeroFill(long width) {
        boolean signed = text.length() > 0 && (text.charAt(0) == '+' || text.charAt(0) == '-');
        return new TrackedStringBuilder(budget)
                .append(text, 0, signed ? 1 : 0)
                .fill('0', Math.max(0, width - PythonStrings.length(text)))
                .append(text, signed ? 1 : 0, text.length())
                .build();
    }

    private TrackedString expandTabs(long size) {
        TrackedStringBuilder expanded = new TrackedStringBuilder(budget);
        long column = 0;
        for (Object character : PythonStrings.characters(text)) {
            TrackedString c = (TrackedString) character;
            char first = c.charAt(0);
            if (first != '\t') {
                expanded.append(c);
                column = first == '\n' || first == '\r' ? 0 : column + 1;
            } else if (size > 0) {
                long spaces = size - column % size;
                budget.chars(spaces);
                expanded.append(" ".repeat((int) spaces), c.isTrusted());
                column += spaces;
            }
        }
        return expanded.build();
    }

    /** An optional index into the text as a char offset, clamped as slices are. */
    private int offset(Arguments.Bound bound, int index, int absent) {
        if (bound.get(index, null) == null) {
            return absent;
        }
        int length = PythonStrings.length(text);
        long at = bound.integer(index);
        long clamped = Math.clamp(at < 0 ? at + length : at, 0, length);
        return text.toString().offsetByCodePoints(0, (int) clamped);
    }

    private boolean isStartBeyondEnd(Arguments.Bound bound) {
        return bound.get(1, null) != null && bound.integer(1) > PythonStrings.length(text);
    }

    private Object find(Arguments.Bound bound) {
        String sub = bound.string(0).toString();
        int from = offset(bound, 1, 0);
        int to = offset(bound, 2, text.length());
        boolean outside = from > to || isStartBeyondEnd(bound);
        String part = outside ? "" : text.toString().substring(from, to);
        if (name.equals("count")) {
            return outside ? 0L : (long) PythonStrings.count(part, sub);
        }
        int at = outside ? -1 : name.startsWith("r") ? part.lastIndexOf(sub) : part.indexOf(sub);
        if (at < 0 && name.endsWith("index")) {
            throw new JinjaException(name + "(): the substring does not occur");
        }
        return at < 0 ? -1L : (long) text.toString().codePointCount(0, from + at);
    }

    private boolean affix(Arguments.Bound bound) {
        int from = offset(bound, 1, 0);
        int to = offset(bound, 2, text.length());
        boolean outside = from > to || isStartBeyondEnd(bound);
        String part = outside ? "" : text.toString().substring(from, to);
        Predicate<Object> test = affix -> {
            String s = Values.string(affix).toString();
            return !outside && (name.equals("startswith") ? part.startsWith(s) : part.endsWith(s));
        };
        return bound.get(0) instanceof Tuple tuple ? tuple.items().stream().anyMatch(test) : test.test(bound.get(0));
    }

    private TrackedString join(Object iterable) {
        List<Object> items = Values.items(budget, iterable);
        if (text.isMarkup()) {
            items = items.stream()
                    .map(item -> (Object) Markup.escape(budget, item))
                    .toList();
        }
        return PythonStrings.join(budget, text, items);
    }

    private Object split(Arguments.Bound bound) {
        String separator = bound.stringOrNull(0);
        if (separator != null && separator.isEmpty()) {
            throw new JinjaException(name + "(): the separator is empty");
        }
        budget.items(text.length());
        long max = bound.integer(1, -1);
        return name.equals("split")
                ? PythonStrings.split(text, separator, max)
                : PythonStrings.rsplit(text, separator, max);
    }

    private Tuple partition(TrackedString separator) {
        String s = separator.toString();
        if (s.isEmpty()) {
            throw new JinjaException(name + "(): the separator is empty");
        }
        boolean first = name.equals("partition");
        int at = first ? text.toString().indexOf(s) : text.toString().lastIndexOf(s);
        if (at < 0) {
            return first
                    ? Tuple.of(text, TrackedString.EMPTY, TrackedString.EMPTY)
                    : Tuple.of(TrackedString.EMPTY, TrackedString.EMPTY, text);
        }
        int end = at + s.length();
        return Tuple.of(text.substring(0, at), text.substring(at, end), text.substring(end));
    }

    private Dict makeTranslation(Arguments.Bound bound) {
        Dict table = new Dict();
        if (!bound.has(1)) {
            if (!(bound.get(0) instanceof Dict mapping)) {
                throw new JinjaException("maketrans() with one argument needs a dict");
            }
            for (Object key : mapping.keys()) {
                Object codePoint = key instanceof TrackedString s && PythonStrings.length(s) == 1
                        ? (Object) (long) s.toString().codePointAt(0)
                        : key;
                if (!Numbers.isInteger(codePoint)) {
                    throw new JinjaException("maketrans(): a key is one character or an integer");
                }
                table.put(codePoint, mapping.get(key, null));
            }
            return table;
        }
        List<Object> from = PythonStrings.characters(bound.string(0));
        List<Object> to = PythonStrings.characters(bound.string(1));
        if (from.size() != to.size()) {
            throw new JinjaException("maketrans(): the first two arguments differ in length");
        }
        for (int i = 0; i < from.size(); i++) {
            table.put((long) from.get(i).toString().codePointAt(0), (long)
                    to.get(i).toString().codePointAt(0));
        }
        if (bound.has(2)) {
            bound.string(2).toString().codePoints().forEach(c -> table.put((long) c, null));
        }
        return table;
    }

    private TrackedString translate(Object table) {
        TrackedStringBuilder translated = new TrackedStringBuilder(budget);
        for (Object character : PythonStrings.characters(text)) {
            TrackedString c = (TrackedString) character;
            long codePoint = c.toString().codePointAt(0);
            Object target = codePoint;
            if (table instanceof Dict dict) {
                target = dict.get(codePoint, codePoint);
            } else if (Values.sequence(table) == null && !(table instanceof TrackedString)) {
                throw new JinjaException("translate() needs a dict or a sequence");
            } else if (codePoint < Values.length(table)) {
                target = Values.item(table, codePoint);
            }
            if (target instanceof TrackedString s) {
                translated.append(s);
            } else if (Numbers.isInteger(target)) {
                TrackedString mapped = FormatSpec.character(Numbers.big(target));
                translated.append(c.derive(mapped.toString()));
            } else if (target != null) {
                throw new JinjaException("translate(): a character maps to an integer, a string or none");
            }
        }
        return translated.build();
    }
}
