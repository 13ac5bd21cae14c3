package dev.xlstm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

import static org.assertj.core.api.Assertions.assertThat;

/** The documents name only classes, methods, files and flags that exist. */
class DocsTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Set<String> CLASSES_OF_THE_JDK = Set.of("ServiceLoader");

    /** A class, or a class and a member: at least one lower-case letter tells it from constants such as JAVA_HOME. */
    private static final Pattern CLASS =
            Pattern.compile("([A-Z][A-Za-z0-9_]*[a-z][A-Za-z0-9_]*)(?:[.#]([A-Za-z]\\w*))?(?:\\(.*\\))?");

    private static final Pattern PATH = Pattern.compile(
            "(?:cli|engine|tokenizer|tornado-kernels|scripts|test-data|\\.github|\\.ci|\\.mvn)(?:/[\\w.-]+)+/?");

    private static final Pattern FLAG = Pattern.compile("(?<![\\w-])--[a-z][a-z-]*");

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("test-data/README.md")));
        for (String directory : List.of("cli/docs", "engine/docs", ".github")) {
            try (Stream<Path> files = Files.list(ROOT.resolve(directory))) {
                files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
            }
        }
        assertThat(pages).hasSizeGreaterThan(10);
        return pages;
    }

    private static List<String> groups(String pattern, String text) {
        return Pattern.compile(pattern, Pattern.DOTALL)
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    /** The text in backticks of a page, without its fenced blocks. */
    private static List<String> spans(Path page) throws IOException {
        return groups("`([^`\\n]+)`", Files.readString(page).replaceAll("(?s)```.*?```", ""));
    }

    /** Source text by name of the class. */
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new HashMap<>();
        for (String module : List.of("tokenizer", "engine", "cli", "tornado-kernels")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src"))) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    String name = file.getFileName().toString().replace(".java", "");
                    sources.merge(name, Files.readString(file), String::concat);
                }
            }
        }
        return sources;
    }

    @Test
    void readmeHasAtMost1500Words() throws IOException {
        assertThat(Files.readString(ROOT.resolve("README.md")).trim().split("\\s+"))
                .hasSizeLessThanOrEqualTo(1500);
    }

    @Test
    void linksLeadToFiles() throws IOException {
        for (Path page : pages()) {
            for (String link : groups("\\]\\(([^)\\s]+)\\)", Files.readString(page))) {
                if (!link.startsWith("http")) {
                    assertThat(page.resolveSibling(link.replaceFirst("#.*", "")))
                            .as("link in %s", page)
                            .exists();
                }
            }
        }
    }

    @Test
    void classesAndTheirMembersExist() throws IOException {
        Map<String, String> sources = sources();
        Set<String> unknown = new TreeSet<>();
        for (Path page : pages()) {
            for (String span : spans(page)) {
                Matcher name = CLASS.matcher(span);
                if (!name.matches() || CLASSES_OF_THE_JDK.contains(name.group(1))) {
                    continue;
                }
                String source = sources.get(name.group(1));
                String member = name.group(2);
                if (source == null
                        || member != null
                                && !Pattern.compile("\\b" + member + "\\b")
                                        .matcher(source)
                                        .find()) {
                    unknown.add(ROOT.relativize(page) + ": " + span);
                }
            }
        }
        assertThat(unknown).isEmpty();
    }

    @Test
    void everyPackageIsDescribed() throws IOException {
        String page = Files.readString(ROOT.resolve("engine/docs/architecture.md"));
        Path base = ROOT.resolve("engine/src/main/java/dev/xlstm");
        try (Stream<Path> files = Files.walk(base)) {
            assertThat(files.filter(file -> file.endsWith("package-info.java"))
                            .map(file ->
                                    base.relativize(file.getParent()).toString().replace('/', '.'))
                            .filter(name -> !page.contains("| `" + name + "` |")))
                    .isEmpty();
        }
    }

    @Test
    void pathsExist() throws IOException {
        Set<String> unknown = new TreeSet<>();
        for (Path page : pages()) {
            for (String span : spans(page)) {
                boolean built = span.contains("/target/");
                if (PATH.matcher(span).matches() && !built && Files.notExists(ROOT.resolve(span))) {
                    unknown.add(ROOT.relativize(page) + ": " + span);
                }
            }
        }
        assertThat(unknown).isEmpty();
    }

    /** Flags in backticks, and those of lines that call xlstm. */
    @Test
    void flagsExist() throws IOException {
        Set<String> known = new HashSet<>();
        addFlags(GeneratedFiles.everything(), known);
        Set<String> unknown = new TreeSet<>();
        for (Path page : pages()) {
            List<String> commands = new ArrayList<>(spans(page));
            groups("```(?:sh|console|text)\\n(.*?)```", Files.readString(page))
                    .forEach(block -> block.lines()
                            .filter(line -> line.contains("xlstm "))
                            .map(line ->
                                    line.replaceFirst(".*?xlstm ", "xlstm ").replaceFirst(" [|#] .*", ""))
                            .forEach(commands::add));
            for (String command : commands) {
                if (command.startsWith("--") || command.startsWith("xlstm ") || command.startsWith("scripts/xlstm ")) {
                    FLAG.matcher(command)
                            .results()
                            .map(match -> match.group())
                            .filter(flag -> !known.contains(flag))
                            .forEach(flag -> unknown.add(ROOT.relativize(page) + ": " + flag));
                }
            }
        }
        assertThat(unknown).isEmpty();
    }

    private static void addFlags(CommandSpec command, Set<String> flags) {
        command.options().forEach(option -> flags.addAll(List.of(option.names())));
        command.subcommands().values().stream()
                .map(CommandLine::getCommandSpec)
                .forEach(nested -> addFlags(nested, flags));
    }
}
