package dev.xlstm;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static org.assertj.core.api.Assertions.assertThat;

/** The arrows between the packages: what each may know besides itself, the JDK and the libraries named. */
@AnalyzeClasses(packages = "dev.xlstm", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String JSON = "tools.jackson..";

    @ArchTest
    static final ArchRule tokenizer = only("tokenizer", JSON, "com.fasterxml.jackson.annotation..");

    @ArchTest
    static final ArchRule safetensors = only("safetensors", JSON);

    @ArchTest
    static final ArchRule error = only("error");

    @ArchTest
    static final ArchRule tensor = only("tensor", "jdk.incubator.vector..", here("safetensors"));

    @ArchTest
    static final ArchRule cell = only("cell", "jdk.incubator.vector..", here("tensor"));

    @ArchTest
    static final ArchRule grammar = only("grammar", JSON);

    @ArchTest
    static final ArchRule sampling = only("sampling", here("grammar"));

    @ArchTest
    static final ArchRule hub = only("hub", JSON, here("safetensors"));

    @ArchTest
    static final ArchRule model =
            only("model", JSON, here("hub"), here("safetensors"), here("tensor"), here("tokenizer"));

    @ArchTest
    static final ArchRule backendCpu = only(
            "backend.cpu",
            "jdk.incubator.vector..",
            here("backend"),
            "com.sun.management..", // the memory of the machine
            here("cell"),
            here("tensor"),
            here("model"));

    @ArchTest
    static final ArchRule backendSpi = classes()
            .that()
            .resideInAPackage("dev.xlstm.backend")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "dev.xlstm.backend", here("model"), here("safetensors"), here("error"))
            .because("backends are found with ServiceLoader: the SPI knows neither an implementation nor a kernel");

    @ArchTest
    static final ArchRule cpuBackendIsAnImplementation = noClasses()
            .that()
            .resideOutsideOfPackages(here("backend.cpu"), here("generation"))
            .should()
            .dependOnClassesThat()
            .resideInAPackage(here("backend.cpu"))
            .because("callers load models through the SPI");

    @ArchTest
    static final ArchRule session = only("session", here("backend"), here("model"), here("safetensors"));

    @ArchTest
    static final ArchRule generation = only(
            "generation",
            here("session"),
            here("sampling"),
            here("grammar"),
            here("model"),
            here("backend"),
            here("tokenizer"),
            here("safetensors"));

    @ArchTest
    static final ArchRule jinja = only("jinja");

    @ArchTest
    static final ArchRule bench = only(
            "bench", "jdk.incubator.vector..", here("backend"), here("model"), here("safetensors"), here("tensor"));

    @ArchTest
    static final ArchRule chat = only(
            "chat",
            JSON,
            here("safetensors"),
            here("generation"),
            here("session"),
            here("sampling"),
            here("model"),
            here("backend"),
            here("tokenizer"),
            here("jinja"));

    @ArchTest
    static final ArchRule request =
            only("request", JSON, here("chat"), here("generation"), here("grammar"), here("sampling"));

    @ArchTest
    static final ArchRule noStandardStreams = NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;

    @ArchTest
    static final ArchRule onlyTheHubUsesTheNetwork = noClasses()
            .that()
            .resideOutsideOfPackage(here("hub"))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.net.http..");

    @ArchTest
    static final ArchRule noExit = noClasses()
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class)
            .because("a library must not end its caller");

    /** A new package gets a rule, or this fails; and the rules are about classes that were really found. */
    @ArchTest
    static void everyPackageHasARule(JavaClasses found) {
        Set<String> packages = new TreeSet<>();
        found.forEach(c -> packages.add(c.getPackageName().replace("dev.xlstm.", "")));
        assertThat(packages)
                .contains("safetensors", "tensor", "model", "backend")
                .isSubsetOf(
                        "tokenizer",
                        "error",
                        "safetensors",
                        "tensor",
                        "cell",
                        "grammar",
                        "sampling",
                        "hub",
                        "model",
                        "backend",
                        "backend.cpu",
                        "session",
                        "generation",
                        "jinja",
                        "request",
                        "bench",
                        "chat");
    }

    private static String here(String name) {
        return "dev.xlstm." + name + "..";
    }

    private static ArchRule only(String name, String... others) {
        String[] allowed = Arrays.copyOf(others, others.length + 3);
        allowed[others.length] = "java..";
        allowed[others.length + 1] = here(name);
        allowed[others.length + 2] = here("error"); // exceptions, which know nothing of the rest
        return classes()
                .that()
                .resideInAPackage(here(name))
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(allowed)
                .allowEmptyShould(true); // a package may still be waiting for its first class
    }
}
