package dev.xlstm.jinja;

/** HTML escaping, and operations on strings that need none: Python's markupsafe. */
final class Markup {

    private Markup() {}

    /** Markup as it is; other values as escaped text. */
    static TrackedString escape(Budget budget, Object value) {
        if (value instanceof TrackedString s && s.isMarkup()) {
            return s;
        }
        return escapeText(budget, Representation.str(budget, value));
    }

    static TrackedString escapeText(Budget budget, TrackedString text) {
        TrackedStringBuilder escaped = new TrackedStringBuilder(budget);
        String s = text.toString();
        int from = 0;
        for (int i = 0; i < s.length(); i++) {
            String entity = switch (s.charAt(i)) {
                case '&' -> "&amp;";
                case '<' -> "&lt;";
                case '>' -> "&gt;";
                case '\'' -> "&#39;";
                case '"' -> "&#34;";
                default -> null;
            };
            if (entity != null) {
                escaped.append(text, from, i).append(entity, text.isTrusted(i, i + 1));
                from = i + 1;
            }
        }
        return escaped.append(text, from, s.length()).build().asMarkup();
    }

    /** Concatenates; if one string is markup, the other is escaped. */
    static TrackedString add(Budget budget, TrackedString a, TrackedString b) {
        if (a.isMarkup() || b.isMarkup()) {
            TrackedString left = escape(budget, a);
            TrackedString right = escape(budget, b);
            budget.chars(left.length() + right.length());
            return left.concat(right).asMarkup();
        }
        budget.chars(a.length() + (long) b.length() + 4L * (a.rangeCount() + b.rangeCount()));
        return a.concat(b);
    }

    /** A string as it is used in an operation on markup: escaped if {@code subject} is markup. */
    static TrackedString argument(Budget budget, TrackedString subject, TrackedString argument) {
        return subject.isMarkup() ? escape(budget, argument) : argument;
    }

    /** Removes tags and comments, collapses white space and decodes entities. */
    static TrackedString stripTags(Budget budget, TrackedString html) {
        TrackedStringBuilder text = new TrackedStringBuilder(budget);
        String s = html.toString();
        int from = 0;
        while (true) {
            int tag = s.indexOf('<', from);
            if (tag < 0) {
                break;
            }
            boolean comment = s.startsWith("<!--", tag);
            int end = comment ? s.indexOf("-->", tag + 4) : s.indexOf('>', tag);
            if (end < 0) {
                break;
            }
            text.append(html, from, tag);
            from = end + (comment ? 3 : 1);
        }
        text.append(html, from, s.length());
        TrackedString words = PythonStrings.join(budget, html.derive(" "), PythonStrings.split(text.build(), null, -1));
        return decode(budget, words);
    }

    private static TrackedString decode(Budget budget, TrackedString text) {
        TrackedStringBuilder decoded = new TrackedStringBuilder(budget);
        String s = text.toString();
        int from = 0;
        for (int at = s.indexOf('&'); at >= 0; at = s.indexOf('&', at + 1)) {
            int end = s.indexOf(';', at);
            String entity = end < 0 || end - at > 12 ? "" : s.substring(at + 1, end);
            int c = entity(entity);
            if (c >= 0) {
                decoded.append(text, from, at).appendCodePoint(c, text.isTrusted(at, end + 1));
                from = end + 1;
            }
        }
        return decoded.append(text, from, s.length()).build();
    }

    /** The character of an entity without {@code &} and {@code ;}; -1 if unknown. Names: those that escaping produces. */
    private static int entity(String entity) {
        switch (entity) {
            case "amp":
                return '&';
            case "lt":
                return '<';
            case "gt":
                return '>';
            case "quot":
                return '"';
            case "apos":
                return '\'';
            case "nbsp":
                return 0xA0;
            default:
                break;
        }
        boolean hex = entity.startsWith("#x") || entity.startsWith("#X");
        if (!entity.matches(hex ? "#[xX][0-9a-fA-F]{1,6}" : "#[0-9]{1,7}")) {
            return -1;
        }
        int c = Integer.parseInt(entity.substring(hex ? 2 : 1), hex ? 16 : 10);
        return Character.isValidCodePoint(c) && c != 0 && !(c >= 0xD800 && c < 0xE000) ? c : 0xFFFD;
    }
}
