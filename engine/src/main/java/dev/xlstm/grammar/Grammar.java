package dev.xlstm.grammar;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** A context-free grammar over Unicode text. Immutable. */
public final class Grammar {

    private final Map<String, RuleBody> rules; // every referenced rule is present
    private final String root;
    private final String hash;
    private final List<String> ignored;

    /**
     * @param source the text that the grammar was read from
     */
    Grammar(Map<String, RuleBody> rules, String root, String source) {
        this(Map.copyOf(rules), root, sha256(source), List.of());
    }

    private Grammar(Map<String, RuleBody> rules, String root, String hash, List<String> ignored) {
        this.rules = rules;
        this.root = root;
        this.hash = hash;
        this.ignored = ignored;
    }

    Grammar withIgnored(List<String> keywords) {
        return new Grammar(rules, root, hash, keywords);
    }

    /** Unknown keywords and formats of a JSON Schema, which do not constrain the text. */
    public List<String> ignored() {
        return ignored;
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    /**
     * Reads GBNF as llama.cpp defines it; the language is that of the rule {@code root}.
     *
     * @throws GrammarException naming line, column and what is wrong
     */
    public static Grammar parse(String gbnf) {
        return new GbnfParser(gbnf).parse();
    }

    /**
     * A grammar whose texts are all valid under the schema; {@link JsonSchema} lists the valid texts it omits.
     *
     * @throws GrammarException naming the location in the schema and the keyword that is wrong or not supported
     */
    public static Grammar ofJsonSchema(String schema) {
        return JsonSchema.toGrammar(schema);
    }

    /**
     * Prepares the grammar for a vocabulary.
     *
     * @throws GrammarException if a rule is left-recursive or never ends, or if the automaton is too large
     */
    public CompiledGrammar compile(TokenTrie vocabulary) {
        return new CompiledGrammar(new Automaton(this), vocabulary, hash);
    }

    RuleBody rule(String name) {
        return rules.get(name);
    }

    String root() {
        return root;
    }
}
