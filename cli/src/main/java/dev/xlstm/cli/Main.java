package dev.xlstm.cli;

import dev.xlstm.cli.chat.ChatTerminal;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;

/** The entry point of the process: binds its streams and exits. {@link Cli} does everything else. */
public final class Main {

    private Main() {}

    public static void main(String[] args) throws ReflectiveOperationException {
        takeStderr();
        Interruption interruption = new Interruption();
        interruption.install();
        if (Boolean.getBoolean("xlstm.pastes")) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.print(ChatTerminal.PASTES_PLAIN)));
        }
        System.exit(new Cli(Streams.ofProcess(stdout()), interruption, System.getenv()).run(args));
    }

    /** The launcher hides the JVM's own warnings: it closes stderr for the JVM and passes the real one as a descriptor. */
    private static void takeStderr() throws ReflectiveOperationException {
        int number = Integer.getInteger("xlstm.stderr", 2);
        if (number != 2) {
            System.setErr(new PrintStream(descriptor(number), true, StandardCharsets.UTF_8));
        }
    }

    private static FileOutputStream stdout() throws ReflectiveOperationException {
        int number = Integer.getInteger(Streams.STDOUT, 1);
        return number == 1 ? new FileOutputStream(FileDescriptor.out) : descriptor(number);
    }

    private static FileOutputStream descriptor(int number) throws ReflectiveOperationException {
        Constructor<FileDescriptor> descriptor = FileDescriptor.class.getDeclaredConstructor(int.class);
        descriptor.setAccessible(true); // the launcher opens java.io
        return new FileOutputStream(descriptor.newInstance(number));
    }
}
