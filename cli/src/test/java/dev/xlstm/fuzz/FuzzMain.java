package dev.xlstm.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32;

/** The long run, started by scripts/fuzz: {@code FuzzMain TEST-DATA SECONDS SEED FINDINGS [TARGET...]}. */
public final class FuzzMain {

    private FuzzMain() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Path data = Path.of(args[0]);
        long seconds = Long.parseLong(args[1]);
        long seed = Long.parseLong(args[2]);
        Path findings = Path.of(args[3]);
        List<String> chosen = List.of(args).subList(4, args.length);
        Path work = Files.createTempDirectory("xlstm-fuzz");
        int found = 0;
        System.out.println("| target | executions | seconds | different refusals | findings |");
        System.out.println("|---|---:|---:|---:|---:|");
        for (FuzzTarget target : FuzzTargets.all(data, work)) {
            if (!chosen.isEmpty() && !chosen.contains(target.name())) {
                continue;
            }
            Fuzzer fuzzer = new Fuzzer(target, seed);
            long begin = System.nanoTime();
            fuzzer.run(() -> System.nanoTime() - begin < seconds * 1_000_000_000L);
            fuzzer.findings().forEach(finding -> keep(finding, target, findings));
            found += fuzzer.findings().size();
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %,d | %d | %d | %d |%n",
                    target.name(),
                    fuzzer.executions(),
                    (System.nanoTime() - begin) / 1_000_000_000L,
                    fuzzer.outcomes(),
                    fuzzer.findings().size());
        }
        System.exit(found == 0 ? 0 : 1); // a hanging attempt does not keep it
    }

    private static void keep(Fuzzer.Finding finding, FuzzTarget target, Path findings) {
        try {
            CRC32 crc = new CRC32();
            crc.update(finding.input());
            String name = target.name() + "-" + HexFormat.of().toHexDigits((int) crc.getValue());
            Path file = Files.createDirectories(findings).resolve(name);
            Files.write(file, finding.input());
            System.err.println(file + ": " + finding.kind());
            if (finding.thrown() != null) {
                StackTraceElement[] trace = finding.thrown().getStackTrace();
                System.err.println("    "
                        + String.valueOf(finding.thrown()).lines().findFirst().orElse(""));
                for (int i = 0; i < Math.min(8, trace.length); i++) {
                    System.err.println("    at " + trace[i]);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
