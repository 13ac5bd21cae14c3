package dev.xlstm.jinja;

import dev.xlstm.jinja.TemplateToken.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into tokens, with {@code trim_blocks} and {@code lstrip_blocks}: the newline after a block or comment
 * is removed, and so is the indentation before it.
 */
final class Lexer {

    private static final Pattern RAW =
            Pattern.compile("\\{%[-+]?\\s*raw\\s*(?:-%}\\s*|%})", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern END_RAW =
            Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)", Pattern.UNICODE_CHARACTER_CLASS);
    // repeated groups are possessive: the matcher recurses into others, once a repetition
    private static final Pattern EXPRESSION_TOKEN = Pattern.compile("""
            (?<float>(?<!\\.)\\d+(?:_\\d+)*+(?:\\.\\d+(?:_\\d+)*+(?:[eE][+-]?\\d+(?:_\\d+)*+)?|[eE][+-]?\\d+(?:_\\d+)*+))\
            |(?<integer>0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[0-9a-fA-F])++|[1-9](?:_?\\d)*+|0(?:_?0)*+)\
            |(?<name>[\\p{L}_][\\p{L}\\p{N}\\p{M}_]*)\
            |(?<string>'(?:[^'\\\\]|\\\\.)*+'|"(?:[^"\\\\]|\\\\.)*+")\
            |(?<operator>\\*\\*|//|==|!=|>=|<=|[-+*/%~<>=.,:|()\\[\\]{};])""", Pattern.DOTALL);

    private final String source;
    private final List<TemplateToken> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private boolean lineStarts = true; // the last token ended a line

    private Lexer(String source) {
        this.source = source;
    }

    static List<TemplateToken> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        if (source.endsWith("\n")) {
            source = source.substring(0, source.length() - 1);
        }
        return new Lexer(source).read();
    }

    private List<TemplateToken> read() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                data(source.substring(at));
                at = source.length();
                break;
            }
            char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : 0;
            char kind = source.charAt(tag + 1);
            data(before(source.substring(at, tag), sign, kind != '{'));
            countLines(at, tag);
            at = tag;
            if (kind == '#') {
                comment();
            } else if (kind == '{') {
                tag(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}", sign);
            } else if (!raw()) {
                tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}", sign);
            }
            lineStarts = at > 0 && source.charAt(at - 1) == '\n';
        }
        tokens.add(new TemplateToken(Kind.END, "end of template", line));
        return tokens;
    }

    /** The index of the next tag, -1 if there is none. */
    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char c = source.charAt(i + 1);
            if (c == '{' || c == '%' || c == '#') {
                return i;
            }
        }
        return -1;
    }

    /** The text before a tag without the white space that the tag strips. */
    private String before(String text, char sign, boolean stripsIndentation) {
        if (sign == '-') {
            return text.substring(0, PythonStrings.rstripped(text, null));
        }
        if (sign != '+' && stripsIndentation) {
            int lineBegin = text.lastIndexOf('\n') + 1;
            if ((lineBegin > 0 || lineStarts) && PythonStrings.rstripped(text, null) <= lineBegin) {
                return text.substring(0, lineBegin);
            }
        }
        return text;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            tokens.add(new TemplateToken(Kind.DATA, text, line));
        }
    }

    private void countLines(int from, int to) {
        for (int i = from; i < to; i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
    }

    private void comment() {
        int end = source.indexOf("#}", at + 2);
        if (end < 0) {
            throw new JinjaException(line, "a comment is not closed");
        }
        close(end, end + 2, at + 2, true);
    }

    /**
     * Moves past a closing tag.
     *
     * @param end index of the tag; a sign may precede it
     * @param behind index after the tag
     * @param inside index after the opening tag, where the sign cannot be
     */
    private void close(int end, int behind, int inside, boolean trimsNewline) {
        char sign = end > inside ? source.charAt(end - 1) : 0;
        int next = behind;
        if (sign == '-') {
            next = skipSpace(next);
        } else if (sign != '+' && trimsNewline && next < source.length() && source.charAt(next) == '\n') {
            next++;
        }
        countLines(at, next);
        at = next;
    }

    private int skipSpace(int from) {
        int i = from;
        while (i < source.length() && PythonStrings.isSpace(source.charAt(i))) {
            i++;
        }
        return i;
    }

    /** Reads {@code {% raw %}...{% endraw %}} if it begins here. */
    private boolean raw() {
        Matcher begin = RAW.matcher(source).region(at, source.length());
        if (!begin.lookingAt()) {
            return false;
        }
        Matcher end = END_RAW.matcher(source);
        if (!end.find(begin.end())) {
            throw new JinjaException(line, "{% raw %} without {% endraw %}");
        }
        lineStarts = source.charAt(begin.end() - 1) == '\n';
        char sign = end.group(1).isEmpty() ? 0 : end.group(1).charAt(0);
        data(before(source.substring(begin.end(), end.start()), sign, true));
        countLines(at, end.end());
        at = end.end();
        return true;
    }

    /** Reads a tag with the expression tokens in it. */
    private void tag(Kind opening, Kind closing, String end, char sign) {
        tokens.add(new TemplateToken(opening, source.substring(at, at + 2), line));
        at += 2;
        if (sign == '-' || sign == '+') {
            at++;
        }
        StringBuilder open = new StringBuilder();
        while (true) {
            int next = skipSpace(at);
            countLines(at, next);
            at = next;
            if (at >= source.length()) {
                throw new JinjaException(line, "a tag is not closed by " + end);
            }
            if (open.isEmpty()) {
                boolean signed = source.startsWith("-" + end, at)
                        || closing == Kind.BLOCK_END && source.startsWith("+" + end, at);
                if (signed || source.startsWith(end, at)) {
                    tokens.add(new TemplateToken(closing, end, line));
                    int tagEnd = signed ? at + 1 : at;
                    close(tagEnd, tagEnd + 2, at, closing == Kind.BLOCK_END);
                    return;
                }
            }
            expressionToken(open);
        }
    }

    private void expressionToken(StringBuilder open) {
        Matcher token =
                EXPRESSION_TOKEN.matcher(source).useTransparentBounds(true).region(at, source.length());
        if (!token.lookingAt()) {
            throw new JinjaException(
                    line, "cannot read '" + source.substring(at, Math.min(at + 20, source.length())) + "'");
        }
        String text = token.group();
        if (token.group("float") != null) {
            tokens.add(new TemplateToken(Kind.FLOAT, text.replace("_", ""), line));
        } else if (token.group("integer") != null) {
            tokens.add(new TemplateToken(Kind.INTEGER, text, line));
        } else if (token.group("name") != null) {
            tokens.add(new TemplateToken(Kind.NAME, text, line));
        } else if (token.group("string") != null) {
            tokens.add(
                    new TemplateToken(Kind.STRING, PythonStrings.unescape(text.substring(1, text.length() - 1)), line));
        } else {
            balance(open, text);
            tokens.add(new TemplateToken(Kind.OPERATOR, text, line));
        }
        countLines(at, token.end());
        at = token.end();
    }

    private String unescape(String literal) {
        try {
            return PythonStrings.unescape(literal.substring(1, literal.length() - 1));
        } catch (JinjaException e) {
            throw e.at(line);
        }
    }

    private void balance(StringBuilder open, String operator) {
        int opens = "([{".indexOf(operator);
        int closes = ")]}".indexOf(operator);
        if (opens >= 0) {
            open.append(")]}".charAt(opens));
            if (open.length() > JinjaLimits.NESTING) {
                throw new JinjaException(line, "brackets are nested too deep");
            }
        } else if (closes >= 0) {
            int last = open.length() - 1;
            if (last < 0 || open.charAt(last) != operator.charAt(0)) {
                throw new JinjaException(line, "unexpected '" + operator + "'");
            }
            open.setLength(last);
        }
    }
}
