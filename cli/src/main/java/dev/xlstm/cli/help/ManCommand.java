package dev.xlstm.cli.help;

import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.CommandNames;
import dev.xlstm.cli.options.UsageErrors;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm man}. */
@Command(
        name = "man",
        description = "Prints a man page.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm man generate | man -l -",
            "  xlstm man > ~/.local/share/man/man1/xlstm.1",
            "  xlstm man generate > ~/.local/share/man/man1/xlstm-generate.1",
        })
public final class ManCommand implements Runnable {

    @Parameters(
            arity = "0..1",
            paramLabel = "COMMAND",
            completionCandidates = CommandNames.class,
            description = "The page of this command. Default: that of xlstm itself")
    private String command;

    @Spec
    private CommandSpec spec;

    private final Streams streams;
    private final Supplier<CommandSpec> everything;

    /**
     * @param everything the program with all of its commands
     */
    public ManCommand(Streams streams, Supplier<CommandSpec> everything) {
        this.streams = streams;
        this.everything = everything;
    }

    @Override
    public void run() {
        CommandSpec program = everything.get();
        Map<String, CommandLine> commands = program.subcommands();
        if (command != null && !commands.containsKey(command)) {
            throw UsageErrors.unknownCommand(spec, command);
        }
        CommandSpec shown = command == null ? program : commands.get(command).getCommandSpec();
        streams.print(new ManPage(shown).roff());
    }
}
