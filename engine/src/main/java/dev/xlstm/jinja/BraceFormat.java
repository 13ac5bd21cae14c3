package dev.xlstm.jinja;

/** Python's {@code str.format} and {@code str.format_map}. */
final class BraceFormat {

    private final Budget budget;
    private final TrackedString format;
    private final Arguments arguments;
    private final Dict named;
    private int nextIndex; // of fields without a number; -1 once a field has one

    private BraceFormat(Budget budget, TrackedString format, Arguments arguments, Dict named) {
        this.budget = budget;
        this.format = format;
        this.arguments = arguments;
        this.named = named;
    }

    static TrackedString format(Budget budget, TrackedString format, Arguments arguments, Dict named) {
        TrackedString text = new BraceFormat(budget, format, arguments, named).expand(format, 0);
        return format.isMarkup() ? text.asMarkup() : text;
    }

    private static JinjaException invalid(String problem) {
        return new JinjaException("format: " + problem);
    }

    private TrackedString expand(TrackedString text, int depth) {
        if (depth > 1) {
            throw invalid("fields are nested too deep");
        }
        TrackedStringBuilder out = new TrackedStringBuilder(budget);
        String s = text.toString();
        int i = 0;
        while (i < s.length()) {
            int from = i;
            while (i < s.length() && s.charAt(i) != '{' && s.charAt(i) != '}') {
                i++;
            }
            out.append(text, from, i);
            if (i == s.length()) {
                break;
            }
            char brace = s.charAt(i);
            if (i + 1 < s.length() && s.charAt(i + 1) == brace) {
                out.append(text, i, i + 1);
                i += 2;
                continue;
            }
            int end = brace == '{' ? closing(s, i) : -1;
            if (end < 0) {
                throw invalid("a single '" + brace + "'");
            }
            field(text.substring(i + 1, end), out, depth);
            i = end + 1;
        }
        return out.build();
    }

    /** The index of the brace that closes the one at {@code open}, -1 if there is none. */
    private static int closing(String s, int open) {
        int depth = 0;
        boolean inKey = false; // braces in [...] are part of the key
        boolean inName = true;
        for (int i = open; i < s.length(); i++) {
            char c = s.charAt(i);
            if (inName && (c == '[' || inKey)) {
                inKey = c != ']';
            } else if (c == '{') {
                depth++;
            } else if (c == '}' && --depth == 0) {
                return i;
            } else if (c == ':' || c == '!') {
                inName = false;
            }
        }
        return -1;
    }

    private void field(TrackedString field, TrackedStringBuilder out, int depth) {
        String s = field.toString();
        int nameEnd = 0;
        boolean inKey = false;
        while (nameEnd < s.length() && (inKey || s.charAt(nameEnd) != '!' && s.charAt(nameEnd) != ':')) {
            char c = s.charAt(nameEnd++);
            inKey = c == '[' || inKey && c != ']';
        }
        Object value = value(field.substring(0, nameEnd));
        int specBegin = nameEnd;
        if (s.startsWith("!", nameEnd)) {
            specBegin = nameEnd + 2;
            if (specBegin > s.length() || specBegin < s.length() && s.charAt(specBegin) != ':') {
                throw invalid("a conversion is one of !r, !s and !a");
            }
            value = switch (s.charAt(nameEnd + 1)) {
                case 'r' -> Representation.repr(budget, value);
                case 's' -> value instanceof TrackedString ? value : Representation.str(budget, value);
                case 'a' -> PercentFormat.ascii(budget, value);
                default -> throw invalid("a conversion is one of !r, !s and !a");
            };
        }
        TrackedString spec =
                specBegin < s.length() ? expand(field.substring(specBegin + 1), depth + 1) : TrackedString.EMPTY;
        if (format.isMarkup() && value instanceof TrackedString markup && markup.isMarkup()) {
            if (spec.length() > 0) {
                throw invalid("markup takes no format");
            }
            out.append(markup);
        } else {
            TrackedString text = FormatSpec.format(budget, value, spec);
            out.append(format.isMarkup() ? Markup.escapeText(budget, text) : text);
        }
    }

    private Object value(TrackedString name) {
        String s = name.toString();
        int at = 0;
        while (at < s.length() && s.charAt(at) != '.' && s.charAt(at) != '[') {
            at++;
        }
        Object value = first(name.substring(0, at));
        while (at < s.length()) {
            boolean attribute = s.charAt(at) == '.';
            int end = at + 1;
            if (attribute) {
                while (end < s.length() && s.charAt(end) != '.' && s.charAt(end) != '[') {
                    end++;
                }
            } else {
                end = s.indexOf(']', at);
            }
            if (end <= at + 1) {
                throw invalid("an empty or unfinished attribute in '" + s + "'");
            }
            TrackedString part = name.substring(at + 1, end);
            if (attribute) {
                value = Values.attribute(value, part.toString());
                at = end;
            } else {
                Object index = part.toString().matches("[0-9]+") ? Numbers.parseInteger(part.toString(), 10) : null;
                value = Values.item(value, index != null ? index : part);
                at = end + 1;
                if (at < s.length() && s.charAt(at) != '.' && s.charAt(at) != '[') {
                    throw invalid("only '.' or '[' may follow ']' in '" + s + "'");
                }
            }
        }
        return value;
    }

    private Object first(TrackedString name) {
        String s = name.toString();
        if (!s.isEmpty() && !s.matches("[0-9]+")) {
            if (!named.contains(name)) {
                throw invalid("no argument named '" + s + "'");
            }
            return named.get(name, null);
        }
        if (s.isEmpty() ? nextIndex < 0 : nextIndex > 0) {
            throw invalid("fields with and without a number cannot be mixed");
        }
        int index = s.isEmpty() ? nextIndex++ : s.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(s);
        nextIndex = s.isEmpty() ? nextIndex : -1;
        if (index >= arguments.positional().size()) {
            throw invalid("no argument " + (s.isEmpty() ? index : s));
        }
        return arguments.positional().get(index);
    }
}
