package dev.xlstm.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;

/** The process: real streams, real exit. Everything else is {@link Cli}. */
public final class Main {

    private Main() {}

    public static void main(String[] args) throws ReflectiveOperationException {
        takeStderr();
        Interruption interruption = new Interruption();
        interruption.install();
        System.exit(new Cli(Streams.ofProcess(), interruption, System.getenv()).run(args));
    }

    /** The launcher starts the JVM without stderr, for its warnings' sake, and hands the real one on as a descriptor. */
    private static void takeStderr() throws ReflectiveOperationException {
        int number = Integer.getInteger("xlstm.stderr", 2);
        if (number != 2) {
            Constructor<FileDescriptor> descriptor = FileDescriptor.class.getDeclaredConstructor(int.class);
            descriptor.setAccessible(true); // the launcher opens java.io
            FileOutputStream stream = new FileOutputStream(descriptor.newInstance(number));
            System.setErr(new PrintStream(stream, true, StandardCharsets.UTF_8));
        }
    }
}
