package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.OneOf;
import dev.xlstm.grammar.RuleBody.Repeat;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

import static dev.xlstm.grammar.RuleBody.choice;
import static dev.xlstm.grammar.RuleBody.literal;
import static dev.xlstm.grammar.RuleBody.sequence;

/** JSON strings: characters and their escapes, formats, and complements of sets of names. */
final class JsonStrings {

    /** Characters that need no escape. */
    static final CharSet PLAIN =
            CharSet.of(new CharSet.Range(0, 0x1F)).plus(CharSet.of("\"\\")).negate();

    private static final RuleBody QUOTE = literal("\"");

    /** One character, plain or in any escaped form; escaped surrogates come in pairs. */
    static final RuleBody ANY_CHAR = choice(
            new OneOf(PLAIN),
            sequence(
                    literal("\\"),
                    choice(
                            new OneOf(CharSet.of("\"\\/bfnrt")),
                            sequence(
                                    literal("u"),
                                    choice(
                                            sequence(hex("0-9a-cA-CefEF"), hex(), hex(), hex()),
                                            sequence(hex("dD"), hex("0-7"), hex(), hex()),
                                            sequence(
                                                    hex("dD"),
                                                    hex("89abAB"),
                                                    hex(),
                                                    hex(),
                                                    literal("\\u"),
                                                    hex("dD"),
                                                    hex("c-fC-F"),
                                                    hex(),
                                                    hex()))))));

    private JsonStrings() {}

    private static RuleBody hex() {
        return hex("0-9a-fA-F");
    }

    private static RuleBody hex(String set) {
        return gbnf("[" + set + "]");
    }

    private static RuleBody gbnf(String body) {
        return Grammar.parse("root ::= " + body).rule("root");
    }

    static RuleBody quoted(RuleBody content) {
        return sequence(QUOTE, content, QUOTE);
    }

    /** One character of a set, escaped only where required. */
    static RuleBody oneOf(CharSet set) {
        List<RuleBody> forms = new ArrayList<>();
        CharSet plain = set.minus(PLAIN.negate());
        if (!plain.isEmpty()) {
            forms.add(new OneOf(plain));
        }
        for (int c = 0; c <= '\\'; c++) {
            if (set.contains(c) && !PLAIN.contains(c)) {
                forms.add(new Literal(escaped((char) c)));
            }
        }
        return choice(forms);
    }

    /** The strings of a regular body as written between the quotes. */
    static RuleBody escaped(RuleBody body) {
        if (body instanceof Literal literal) {
            return new Literal(escaped(literal.text()));
        } else if (body instanceof OneOf set) {
            return oneOf(set.chars());
        } else if (body instanceof RuleBody.Sequence sequence) {
            return new RuleBody.Sequence(
                    sequence.items().stream().map(JsonStrings::escaped).toList());
        } else if (body instanceof RuleBody.Choice choice) {
            return new RuleBody.Choice(
                    choice.alternatives().stream().map(JsonStrings::escaped).toList());
        } else if (body instanceof Repeat repeat) {
            return new Repeat(escaped(repeat.body()), repeat.min(), repeat.max());
        }
        return body;
    }

    /** The text as written between the quotes. */
    static String escaped(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            out.append(PLAIN.contains(c) || Character.isSurrogate(c) ? Character.toString(c) : escaped(c));
        }
        return out.toString();
    }

    private static String escaped(char c) {
        int short_ = "\"\\\b\f\n\r\t".indexOf(c);
        return short_ >= 0 ? "\\" + "\"\\bfnrt".charAt(short_) : String.format("\\u%04x", (int) c);
    }

    /**
     * The strings of a format that JSON Schema defines, null for others. Omits rare forms: leap days and seconds, comments
     * in email addresses and the like.
     */
    static RuleBody format(String name) {
        String date = "[12] [0-9]{3} \"-\" ( ( \"01\" | \"03\" | \"05\" | \"07\" | \"08\" | \"10\" | \"12\" ) \"-\" "
                + "( \"0\" [1-9] | [12] [0-9] | \"3\" [01] ) | ( \"04\" | \"06\" | \"09\" | \"11\" ) \"-\" "
                + "( \"0\" [1-9] | [12] [0-9] | \"30\" ) | \"02-\" ( \"0\" [1-9] | \"1\" [0-9] | \"2\" [0-8] ) )";
        String hourMinute = "( [01] [0-9] | \"2\" [0-3] ) \":\" [0-5] [0-9]";
        String time = hourMinute + " \":\" [0-5] [0-9] ( \".\" [0-9]{1,9} )? ( \"Z\" | [+-] " + hourMinute + " )";
        String byte_ = "( [0-9] | [1-9] [0-9] | \"1\" [0-9]{2} | \"2\" [0-4] [0-9] | \"25\" [0-5] )";
        String label = "[a-z] ( [a-z0-9-]{0,20} [a-z0-9] )?";
        String host = label + " ( \".\" " + label + " ){0,4} \".\" [a-z]{2,10}";
        String uri = "\"http\" \"s\"? \"://\" " + host + " ( \"/\" [A-Za-z0-9._~-]{0,40} ){0,8}";
        String body = switch (name) {
            case "date" -> date;
            case "time" -> time;
            case "date-time" -> date + " \"T\" " + time;
            case "duration" -> "\"P\" ( [1-9] [0-9]{0,2} [YMWD] | \"T\" [1-9] [0-9]{0,3} [HMS] )";
            case "uuid" -> "[0-9a-f]{8} ( \"-\" [0-9a-f]{4} ){3} \"-\" [0-9a-f]{12}";
            case "ipv4" -> byte_ + " ( \".\" " + byte_ + " ){3}";
            case "ipv6" -> "[0-9a-f]{1,4} ( \":\" [0-9a-f]{1,4} ){7}";
            case "hostname", "idn-hostname" -> host;
            case "email", "idn-email" -> "[A-Za-z0-9_+]{1,15} ( \".\" [A-Za-z0-9_+]{1,15} ){0,3} \"@\" " + host;
            case "uri", "uri-reference", "uri-template", "iri", "iri-reference" -> uri;
            case "json-pointer" -> "( \"/\" [A-Za-z0-9_-]{1,30} ){0,8}";
            case "relative-json-pointer" -> "[0-9] ( \"/\" [A-Za-z0-9_-]{1,30} ){0,8}";
            case "regex" -> "[A-Za-z0-9_ ]{0,60}";
            default -> null;
        };
        return body == null ? null : gbnf(body);
    }

    /** Strings that equal none of these names. Without escapes, which could spell a name in another way. */
    static RuleBody otherThan(Collection<String> names) {
        Node root = new Node();
        for (String name : names) {
            Node at = root;
            for (int c : name.codePoints().toArray()) {
                at = at.next.computeIfAbsent(c, key -> new Node());
            }
            at.taken = true;
        }
        return quoted(root.others(0));
    }

    /** The names as a trie. */
    private static final class Node {
        private final TreeMap<Integer, Node> next = new TreeMap<>();
        private boolean taken;

        private RuleBody others(int depth) {
            RuleBody any = new Repeat(new OneOf(PLAIN), 0, RuleBody.UNLIMITED);
            if (next.isEmpty()) {
                return taken ? new Repeat(new OneOf(PLAIN), 1, RuleBody.UNLIMITED) : any;
            }
            List<RuleBody> ways = new ArrayList<>();
            if (!taken) {
                ways.add(RuleBody.EMPTY);
            }
            CharSet here = CharSet.of(
                    next.keySet().stream().map(c -> new CharSet.Range(c, c)).toList());
            ways.add(sequence(new OneOf(PLAIN.minus(here)), any));
            if (depth < GrammarLimits.NESTING) { // names beyond this depth cannot even be begun
                next.forEach((c, node) -> {
                    if (PLAIN.contains(c)) {
                        ways.add(sequence(new Literal(Character.toString(c)), node.others(depth + 1)));
                    }
                });
            }
            return choice(ways);
        }
    }
}
