package dev.xlstm.cli;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

/** The arrows between the packages of the command line: commands know output, options and console, never each other. */
@AnalyzeClasses(packages = "dev.xlstm.cli", importOptions = ImportOption.DoNotIncludeTests.class)
class CliArchitectureTest {

    private static final String[] COMMANDS = {"generate", "batch", "chat", "model", "models", "help", "config"};

    @ArchTest
    static final ArchRule arrowsPointDownwards = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("program")
            .definedBy("dev.xlstm.cli")
            .layer("commands")
            .definedBy(here(COMMANDS))
            .layer("output")
            .definedBy(here("output"))
            .layer("options")
            .definedBy(here("options"))
            .layer("console")
            .definedBy(here("console"))
            .whereLayer("program")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("commands")
            .mayOnlyBeAccessedByLayers("program")
            .whereLayer("output")
            .mayOnlyBeAccessedByLayers("program", "commands")
            .whereLayer("options")
            .mayOnlyBeAccessedByLayers("program", "commands", "output")
            .ensureAllClassesAreContainedInArchitecture();

    @ArchTest
    static final ArchRule commandsDoNotKnowEachOther = slices().matching("dev.xlstm.cli.(*)")
            .should()
            .notDependOnEachOther()
            .ignoreDependency(alwaysTrue(), resideOutsideOfPackages(here(COMMANDS)));

    @ArchTest
    static void noPackageIsLarge(JavaClasses found) {
        Map<String, Long> sizes = found.stream()
                .filter(c -> c.isTopLevelClass() && !c.getSimpleName().equals("package-info"))
                .collect(Collectors.groupingBy(JavaClass::getPackageName, Collectors.counting()));
        assertThat(sizes).hasSizeGreaterThan(COMMANDS.length);
        assertThat(sizes).allSatisfy((name, size) -> assertThat(size).as(name).isLessThanOrEqualTo(20));
    }

    private static String[] here(String... names) {
        return Arrays.stream(names).map(name -> "dev.xlstm.cli." + name).toArray(String[]::new);
    }
}
