package dev.xlstm.cli.help;

import dev.xlstm.cli.console.Streams;
import java.util.Locale;
import java.util.function.Supplier;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;

/** {@code xlstm completion}. */
@Command(
        name = "completion",
        description = {
            "Prints a completion script for a shell.",
            "",
            "bash loads completions from the directory in the example below, fish from ~/.config/fish/completions. In zsh,"
                    + " run this after compinit: source <(xlstm completion zsh)."
        },
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm completion bash > ~/.local/share/bash-completion/completions/xlstm",
            "  xlstm completion fish > ~/.config/fish/completions/xlstm.fish",
        })
public final class CompletionCommand implements Runnable {

    enum Shell {
        BASH,
        ZSH,
        FISH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
    private Shell shell;

    private final Streams streams;
    private final Supplier<CommandSpec> everything;

    /**
     * @param everything the program with all of its commands
     */
    public CompletionCommand(Streams streams, Supplier<CommandSpec> everything) {
        this.streams = streams;
        this.everything = everything;
    }

    @Override
    public void run() {
        CommandSpec program = everything.get();
        streams.print(
                shell == Shell.FISH
                        ? FishCompletion.script(program)
                        : AutoComplete.bash(program.name(), program.commandLine()));
    }
}
