package dev.xlstm.soak;

import dev.xlstm.chat.ChatTemplate;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.Turn;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextBatch;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.safetensors.DType;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/**
 * {@code SoakMain MODEL MINUTES [PAUSE_MILLIS]}: turns of chats, forks, undos, saves, resumed states and batches, at random,
 * and each minute what the process takes. Fails if the last quarter took more than the second: memory, file handles, or time
 * a token in the fastest tenth of the turns. Other work on the machine slows most turns, but not all; a fault of ours slows
 * all. Memory is read as it is, which is told, and once garbage has been collected, which counts: garbage comes and goes.
 */
public final class SoakMain {

    private static final int TURNS = 40; // of one conversation
    private static final int TRIM_MILLIS = 2000; // in which the JVM gives freed memory back
    private static final GenerationListener SILENT = new GenerationListener() {};

    private record Sample(
            int minute, long mostKiB, long residentKiB, long files, double tokenMillis, double fastestMillis) {}

    private final Random random = new Random(1);
    private final TextModel model;
    private final ChatTemplate template;
    private final Path work = Files.createTempDirectory("xlstm-soak");
    private final List<Double> millis = new ArrayList<>(); // a token, of the turns of this minute
    private long turns;
    private long others;

    private SoakMain(Path directory) throws IOException {
        model = TextModel.open(directory);
        template = ChatTemplate.of(model);
    }

    public static void main(String[] args) throws Exception {
        long minutes = Long.parseLong(args[1]);
        long pause = args.length > 2 ? Long.parseLong(args[2]) : 0;
        SoakMain soak = new SoakMain(Path.of(args[0]));
        List<Sample> samples = soak.run(minutes, pause);
        soak.model.close();
        boolean flat = report(samples);
        System.out.printf(
                "%d minutes, %,d turns, %,d other pieces of work: %s%n",
                minutes, soak.turns, soak.others, flat ? "flat" : "NOT flat");
        System.exit(flat ? 0 : 1);
    }

    private List<Sample> run(long minutes, long pause) throws Exception {
        List<Sample> samples = new ArrayList<>();
        System.out.println(
                "| minute | resident, KiB | after collecting | files | ms a token | fastest tenth | turns | other work |");
        System.out.println("|---:|---:|---:|---:|---:|---:|---:|---:|");
        long minute = System.nanoTime();
        for (int n = 0; samples.size() < minutes; n++) {
            Path directory = Files.createDirectory(work.resolve("chat-" + n));
            Conversation.Storage storage = new Conversation.Storage(1 << 22, directory, 1 << 26);
            try (Conversation chat = new Conversation(model, template, null, null, "Be brief.", storage)) {
                for (int i = 0; i < TURNS && samples.size() < minutes; i++) {
                    step(chat, directory);
                    Thread.sleep(pause);
                    if (System.nanoTime() - minute >= 60_000_000_000L) {
                        minute = System.nanoTime();
                        samples.add(sample(samples.size() + 1));
                    }
                }
                ConversationFile.save(chat, directory);
            }
            try (Conversation again = ConversationFile.open(directory).resume(model, template, 1 << 22, 1 << 26)) {
                again.say("Where were we?", options(), SILENT);
            }
            delete(directory);
        }
        return samples;
    }

    private void step(Conversation chat, Path directory) throws Exception {
        int what = random.nextInt(20);
        if (what < 12) {
            Turn turn = chat.say(
                    random.nextBoolean() ? "Tell me a story." : "What sound does a cow make?", options(), SILENT);
            millis.add(chat.outcome().decodeSeconds()
                    * 1000
                    / Math.max(1, turn.answer().ids().length));
            turns++;
            ConversationFile.save(chat, directory); // as the command line does
            return;
        }
        others++;
        switch (what) {
            case 12 -> {
                if (!chat.branches().containsKey("side")) {
                    chat.fork("side");
                }
            }
            case 13 -> chat.switchTo(chat.branches().containsKey("side") && random.nextBoolean() ? "side" : "main");
            case 14 -> {
                if (!chat.head().isBeginning()) {
                    chat.undo(1);
                }
            }
            case 15 -> {
                chat.switchTo("main");
                if (chat.branches().containsKey("side")) {
                    chat.delete("side");
                }
            }
            case 16, 17 -> saveAndResume();
            default -> batch();
        }
    }

    private GenerationOptions options() {
        return GenerationOptions.defaults()
                .withMaxTokens(24)
                .withSampling(SamplingOptions.defaults().withSeed(random.nextInt()));
    }

    private void saveAndResume() throws IOException {
        Path file = work.resolve("x.state");
        try (TextSession session = model.newSession()) {
            session.feed("Once upon a time");
            session.generate(options(), SILENT);
            session.save(file, random.nextBoolean() ? DType.F32 : DType.BF16);
        }
        try (TextSession session = model.resume(file)) {
            session.generate(options(), SILENT);
        }
    }

    private void batch() throws InterruptedException {
        TextBatch batch = new TextBatch(model);
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 4; i++) {
            GenerationOptions options = options();
            Thread thread = new Thread(() -> {
                try (TextModel member = batch.join();
                        TextSession session = member.newSession()) {
                    session.feed("The cat sat on");
                    session.generate(options, SILENT);
                }
            });
            thread.setUncaughtExceptionHandler((failed, e) -> failures.add(e));
            threads.add(thread);
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw new IllegalStateException(failures.getFirst());
        }
    }

    private static long residentKiB() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    private Sample sample(int minute) throws Exception {
        long most = residentKiB();
        System.gc();
        Thread.sleep(TRIM_MILLIS);
        long resident = residentKiB();
        long files;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            files = all.count();
        }
        Sample sample = new Sample(minute, most, resident, files, quantile(millis, 0.5), quantile(millis, 0.1));
        millis.clear();
        System.out.printf(
                Locale.ROOT,
                "| %d | %,d | %,d | %d | %.2f | %.2f | %,d | %,d |%n",
                minute,
                most,
                resident,
                files,
                sample.tokenMillis,
                sample.fastestMillis,
                turns,
                others);
        return sample;
    }

    /** Whether the last quarter took no more than the second, but for what such figures vary by. */
    private static boolean report(List<Sample> samples) {
        int quarter = Math.max(1, samples.size() / 4);
        List<Sample> early =
                samples.subList(Math.min(quarter, samples.size() - 1), Math.min(2 * quarter, samples.size()));
        List<Sample> late = samples.subList(samples.size() - quarter, samples.size());
        double[][] quarters = new double[2][4];
        for (int i = 0; i < 2; i++) {
            List<Sample> some = i == 0 ? (early.isEmpty() ? late : early) : late;
            List<Double> resident =
                    some.stream().map(s -> (double) s.residentKiB).toList();
            quarters[i][0] = quantile(resident, 0.5);
            quarters[i][1] = some.stream().mapToLong(Sample::mostKiB).max().orElseThrow();
            quarters[i][2] = quantile(some.stream().map(s -> (double) s.files).toList(), 0.5);
            quarters[i][3] = quantile(some.stream().map(s -> s.fastestMillis).toList(), 0.5);
        }
        System.out.printf(
                Locale.ROOT,
                "second quarter and last: resident %,.0f and %,.0f KiB after collecting, at most %,.0f and %,.0f, files %.0f and %.0f,"
                        + " %.2f and %.2f ms a token in the fastest tenth%n",
                quarters[0][0],
                quarters[1][0],
                quarters[0][1],
                quarters[1][1],
                quarters[0][2],
                quarters[1][2],
                quarters[0][3],
                quarters[1][3]);
        return quarters[1][0] <= 1.1 * quarters[0][0]
                && quarters[1][2] <= quarters[0][2] + 2
                && quarters[1][3] <= 1.5 * quarters[0][3];
    }

    private static double quantile(List<Double> values, double share) {
        return values.isEmpty()
                ? 0
                : values.stream()
                        .sorted()
                        .skip((long) ((values.size() - 1) * share))
                        .findFirst()
                        .orElseThrow();
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            all.forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        Files.delete(directory);
    }
}
