package dev.xlstm.cli;

import dev.xlstm.cli.batch.BatchCommand;
import dev.xlstm.cli.chat.ChatCommand;
import dev.xlstm.cli.chat.SessionsCommand;
import dev.xlstm.cli.config.ConfigCommand;
import dev.xlstm.cli.config.ConfigFile;
import dev.xlstm.cli.config.Configuration;
import dev.xlstm.cli.console.ErrorText;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.generate.GenerateCommand;
import dev.xlstm.cli.generate.PrimeCommand;
import dev.xlstm.cli.help.CompletionCommand;
import dev.xlstm.cli.help.ManCommand;
import dev.xlstm.cli.model.BenchCommand;
import dev.xlstm.cli.model.DevicesCommand;
import dev.xlstm.cli.model.InspectCommand;
import dev.xlstm.cli.model.QuantizeCommand;
import dev.xlstm.cli.model.ScoreCommand;
import dev.xlstm.cli.model.TokenizeCommand;
import dev.xlstm.cli.models.ModelsCommand;
import dev.xlstm.cli.models.PullCommand;
import dev.xlstm.cli.options.CommandNames;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Parses and runs a command line. Holds the policy that all commands share: which exception becomes which line on stderr and
 * which exit code. To start fast, only the class of the requested command is loaded.
 */
final class Cli {

    private final Streams streams;
    private final Interruption interruption;
    private final Map<String, String> environment;
    private final RootCommand root;
    private final Configuration configuration;

    Cli(Streams streams, Interruption interruption, Map<String, String> environment) {
        this.streams = streams;
        this.interruption = interruption;
        this.environment = environment;
        root = new RootCommand(streams);
        configuration = new Configuration(environment);
    }

    /** Runs a command line; returns the exit code. */
    int run(String... args) {
        try {
            if (args.length == 1 && isVersion(args[0])) { // without the parser, which takes most of the time to load
                streams.print(new RootCommand.Version().getVersion()[0] + "\n");
                return ExitCode.OK;
            }
            if (args.length > 1 && args[0].equals("help") && !CommandNames.ALL.contains(args[1])) {
                CommandLine all = commandLine(CommandNames.ALL);
                return reportUsage(
                        new ParameterException(all, UsageText.unknownCommand(all.getCommandSpec(), args[1])));
            }
            String[] plain = withoutHelpCommand(args);
            configuration.file(); // here, since picocli would wrap the ConfigException
            return commandLine(needed(plain)).execute(plain);
        } catch (Throwable e) {
            return report(e);
        }
    }

    /** Rewrites {@code help COMMAND} to {@code COMMAND --help}. */
    private static String[] withoutHelpCommand(String[] args) {
        if (args.length == 0 || !args[0].equals("help")) {
            return args;
        }
        String[] plain = Arrays.copyOfRange(args, 1, args.length + 1);
        plain[args.length - 1] = "--help";
        return plain;
    }

    private static boolean isVersion(String arg) {
        return arg.equals("--version") || arg.equals("-V");
    }

    /** The requested command; all commands where the help may have to list them. */
    private static List<String> needed(String[] args) {
        return args.length > 0 && CommandNames.ALL.contains(args[0]) ? List.of(args[0]) : CommandNames.ALL;
    }

    /** A second instance of the program, with all of its commands; for help, completion and config. */
    CommandSpec everything() {
        return new Cli(streams, interruption, environment)
                .commandLine(CommandNames.ALL)
                .getCommandSpec();
    }

    /** The parser with some of the {@link CommandNames}. */
    CommandLine commandLine(List<String> commands) {
        CommandLine line = new CommandLine(root);
        for (String command : commands) {
            line.addSubcommand(command(command));
        }
        line.setOut(new PrintWriter(streams.writer(), true));
        line.setErr(new PrintWriter(streams.err(), true));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setDefaultValueProvider(configuration);
        line.setExpandAtFiles(false); // a prompt such as "@notes" must not become arguments read from a file
        line.setInterpolateVariables(false); // ${...} in the value of a flag is text
        line.setExecutionStrategy(this::execute);
        line.setParameterExceptionHandler((e, args) -> reportUsage(e));
        line.setExecutionExceptionHandler((e, command, result) -> report(e));
        return line;
    }

    private Object command(String name) {
        switch (name) {
            case "generate":
                return new GenerateCommand(streams, interruption);
            case "prime":
                return new PrimeCommand(streams, interruption);
            case "chat":
                return new ChatCommand(streams, interruption, () -> root.color);
            case "sessions":
                return new SessionsCommand(streams, environment);
            case "score":
                return new ScoreCommand(streams);
            case "tokenize":
                return new TokenizeCommand(streams);
            case "inspect":
                return new InspectCommand(streams);
            case "devices":
                return new DevicesCommand(streams);
            case "pull":
                return new PullCommand(streams, interruption, environment);
            case "models":
                return new ModelsCommand(streams, interruption, environment);
            case "quantize":
                return new QuantizeCommand(streams, interruption);
            case "batch":
                return new BatchCommand(streams, interruption);
            case "bench":
                return new BenchCommand(streams);
            case "config":
                return new ConfigCommand(streams, environment, configuration, this::everything);
            case "completion":
                return new CompletionCommand(streams, this::everything);
            case "man":
                return new ManCommand(streams, this::everything);
            default:
                throw new IllegalArgumentException(name);
        }
    }

    private int execute(ParseResult result) {
        boolean colour = root.color.decide(streams.outIsTerminal(), environment);
        result.commandSpec()
                .commandLine()
                .setColorScheme(CommandLine.Help.defaultColorScheme(colour ? Ansi.ON : Ansi.OFF));
        for (ParseResult level = result; level != null; level = level.hasSubcommand() ? level.subcommand() : null) {
            if (!level.unmatched().isEmpty()) { // picocli ignores them beside --help
                CommandLine line = level.commandSpec().commandLine();
                return reportUsage(new UnmatchedArgumentException(line, level.unmatched()));
            }
        }
        Integer help = CommandLine.executeHelpRequest(result);
        if (help != null) {
            return help;
        }
        ParseResult last = result;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        try {
            configuration.check(last.commandSpec());
        } catch (ConfigFile.ConfigException e) {
            return report(e);
        }
        return new RunLast().execute(result);
    }

    private int reportUsage(ParameterException e) {
        String message = e instanceof UnmatchedArgumentException unmatched
                ? UsageText.unmatched(e.getCommandLine(), unmatched.getUnmatched())
                : configuration.explain(e);
        streams.message("xlstm: " + ErrorText.oneLine(message));
        streams.message("Try '" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help' for help.");
        trace(e);
        return ExitCode.USAGE;
    }

    private int report(Throwable e) {
        if (e instanceof Streams.OutputException && Streams.OutputException.readerIsGone()) {
            return ExitCode.READER_GONE;
        }
        streams.message("xlstm: " + ErrorText.oneLine(ErrorText.describe(e)));
        trace(e);
        return e instanceof ConfigFile.ConfigException ? ExitCode.USAGE : ExitCode.FAILURE;
    }

    private void trace(Throwable e) {
        if (root.debug) {
            e.printStackTrace(streams.err());
            streams.err().flush();
        }
    }
}
