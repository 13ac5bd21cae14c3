package dev.xlstm.cli.options;

import dev.xlstm.cli.console.CliLimits;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.console.Utf8Text;
import dev.xlstm.generation.TextModel;
import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options that constrain the text to a grammar or a JSON schema. */
public final class GrammarFlags {

    @Option(
            names = "--grammar",
            paramLabel = "FILE",
            description = "Generate only text that matches this grammar (GBNF, as in llama.cpp). The text is completed"
                    + " within -n tokens wherever possible.")
    private Path grammar;

    @Option(
            names = "--json-schema",
            paramLabel = "FILE|JSON",
            description =
                    "Generate only JSON that is valid under this schema: a file, or the schema itself, which begins"
                            + " with a brace.")
    private String schema;

    public boolean given() {
        return grammar != null || schema != null;
    }

    /**
     * Reads the grammar. Needs no model, so that a bad grammar fails before the model is loaded.
     *
     * @param quiet whether unknown keywords of a schema are ignored without a warning
     * @return null if neither option is given
     * @throws ParameterException if both are given, or the grammar is damaged or not supported
     */
    public Grammar read(CommandSpec spec, Streams streams, boolean quiet) throws IOException {
        if (!given()) {
            return null;
        }
        if (grammar != null && schema != null) {
            throw new ParameterException(spec.commandLine(), "give --grammar or --json-schema, not both");
        }
        boolean inline = schema != null && schema.stripLeading().startsWith("{");
        String name = grammar != null ? grammar.toString() : inline ? "--json-schema" : schema;
        String text = inline ? schema : readFile(Path.of(name));
        Grammar read = UsageErrors.checked(
                spec, name + ": ", () -> grammar != null ? Grammar.parse(text) : Grammar.ofJsonSchema(text));
        if (!read.ignored().isEmpty() && !quiet) {
            streams.message("xlstm: warning: the schema has unknown keywords, which are ignored: "
                    + String.join(", ", read.ignored()));
        }
        return read;
    }

    private static String readFile(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + ": is a directory; name a file");
        }
        try (InputStream in = Files.newInputStream(file)) { // may be a pipe, whose size is unknown
            byte[] utf8 = in.readNBytes(CliLimits.GRAMMAR_BYTES + 1);
            if (utf8.length > CliLimits.GRAMMAR_BYTES) {
                throw new IOException(file + ": is larger than " + CliLimits.GRAMMAR_BYTES + " bytes; shorten it");
            }
            return Utf8Text.decode(file.toString(), utf8);
        }
    }

    /**
     * Compiles a grammar for the vocabulary of a model.
     *
     * @param grammar may be null
     * @throws ParameterException if the model cannot generate it
     */
    public CompiledGrammar compile(Grammar grammar, TextModel model, Set<Integer> stopIds, CommandSpec spec) {
        return grammar == null ? null : UsageErrors.checked(spec, () -> model.compile(grammar, stopIds));
    }
}
