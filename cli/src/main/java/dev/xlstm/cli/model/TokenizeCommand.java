package dev.xlstm.cli.model;

import dev.xlstm.chat.ChatPrompt;
import dev.xlstm.chat.Message;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.IdList;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.TextInput;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm tokenize}. */
@Command(
        name = "tokenize",
        description = "Converts text to token ids, or ids to text.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm tokenize \"Once upon a time\"",
            "  xlstm tokenize --count -f book.txt",
            "  xlstm tokenize --decode 5,9,2",
            "  xlstm tokenize --messages chat.json --json | jq -r .prompt",
        })
public final class TokenizeCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "TEXT",
            description = "The text, or with --decode the ids; - reads standard input.")
    private String text;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Read the text or ids from FILE.")
    private Path file;

    @Option(
            names = "--decode",
            fallbackValue = "true",
            description = "Read ids, separated by commas or white space, and print their text.")
    private boolean decode;

    @Option(
            names = "--messages",
            paramLabel = "FILE",
            description =
                    "Print the prompt that a chat reads for a JSON list of {\"role\", \"content\"} in FILE; - reads"
                            + " standard input. With --json an object with \"prompt\", its text, and \"token_ids\".")
    private Path messages;

    @Option(names = "--count", fallbackValue = "true", description = "Print only the number of tokens.")
    private boolean count;

    @Option(
            names = "--no-special",
            fallbackValue = "true",
            description = "Treat special tokens in the text as ordinary text; with --decode, omit them.")
    private boolean noSpecial;

    @Option(
            names = "--json",
            fallbackValue = "true",
            description = "Print one JSON object, which also has the tokens in the tokenizer's own notation.")
    private boolean json;

    @Mixin
    private ModelOptions model;

    @Spec
    private CommandSpec spec;

    private final Streams streams;

    public TokenizeCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (messages != null) {
            return tokenizeMessages();
        }
        String input = new TextInput(streams, spec, file, text).exact();
        Tokenizer tokenizer = model.tokenizer();
        int[] ids = decode ? ids(input, tokenizer.vocabSize()) : tokenizer.encode(input, !noSpecial);
        String decoded = decode ? tokenizer.decode(ids, noSpecial) : input;
        if (json) {
            JsonOutput.print(streams, out -> {
                JsonOutput.ids(out, "token_ids", ids);
                out.writeArrayPropertyStart("tokens");
                for (int id : ids) {
                    out.writeString(tokenizer.token(id));
                }
                out.writeEndArray();
                JsonOutput.text(out, "text", decoded);
                out.writeNumberProperty("count", ids.length);
            });
        } else if (count) {
            streams.print(ids.length + "\n");
        } else if (decode) {
            streams.printUntrusted(decoded.endsWith("\n") ? decoded : decoded + "\n");
        } else {
            streams.print(IdList.format(ids) + "\n");
        }
        return ExitCode.OK;
    }

    private int tokenizeMessages() throws IOException {
        if (file != null || text != null || decode || noSpecial) {
            throw new ParameterException(
                    spec.commandLine(), "--messages does not go with TEXT, --file, --decode or --no-special");
        }
        String list = new TextInput(streams, spec, messages, null).exact();
        ChatPrompt prompt = model.chatPrompt(Message.list(list));
        if (json) {
            JsonOutput.print(streams, out -> {
                JsonOutput.text(out, "prompt", prompt.text());
                JsonOutput.ids(out, "token_ids", prompt.ids());
                out.writeNumberProperty("count", prompt.ids().length);
            });
        } else {
            streams.print((count ? prompt.ids().length : IdList.format(prompt.ids())) + "\n");
        }
        return ExitCode.OK;
    }

    private static int[] ids(String input, int vocabulary) throws IOException {
        try {
            int[] ids = IdList.parse(input);
            for (int id : ids) {
                if (id >= vocabulary) {
                    throw new IOException("id " + id + " is outside the tokenizer's vocabulary; the largest id is "
                            + (vocabulary - 1));
                }
            }
            return ids;
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage() + "; --decode reads numbers, separated by commas or white space");
        }
    }
}
