package io.millrace.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.RichFunction;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.junit.jupiter.api.Test;

/** The arrows between the packages. Each rule is also seen to fail, on classes that break it. */
class ArchitectureTest {
  private static final String OURS = "io.millrace";
  private static final String BROKEN = "io.millrace.architecture.broken";

  private static final Set<String> FREE_FOR_ALL = Set.of("event", "config", "telemetry");

  /** Packages whose own packages are siblings, of each other and of all others. */
  private static final Set<String> WINGS = Set.of("codec", "lake", "transform");

  /** Which sibling may use which others; every other pair does not meet. */
  private static final Map<String, Set<String>> ARROWS =
      Map.ofEntries(
          Map.entry("timeline", Set.of("identity", "ledger", "session", "rollup")),
          Map.entry("validation", Set.of("ledger")),
          Map.entry("lake.parquet", Set.of("lake.catalog")),
          Map.entry("lake.publish", Set.of("lake.catalog", "lake.parquet")),
          Map.entry("transform.column", Set.of("transform")),
          Map.entry("transform.file", Set.of("codec.arrow")),
          Map.entry("transform.function", Set.of("anomaly")),
          Map.entry("transform.llm", Set.of("transform")),
          Map.entry(
              "transform.keyed", Set.of("transform", "transform.column", "transform.function")),
          Map.entry(
              "transform.shape", Set.of("transform", "transform.column", "transform.function")),
          Map.entry(
              "transform.clean",
              Set.of("transform", "transform.column", "transform.function", "transform.keyed")),
          Map.entry(
              "transform.quality",
              Set.of("transform", "transform.column", "transform.function", "transform.keyed")),
          Map.entry(
              "transform.connector",
              Set.of(
                  "transform",
                  "transform.column",
                  "transform.file",
                  "transform.function",
                  "transform.http",
                  "transform.sql",
                  "lake.catalog",
                  "lake.parquet",
                  "lake.publish")),
          Map.entry(
              "pipeline",
              Set.of(
                  "transform",
                  "transform.clean",
                  "transform.column",
                  "transform.connector",
                  "transform.llm",
                  "transform.quality",
                  "transform.shape")));

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(new ImportOption.DoNotIncludeJars())
          .importPackages(OURS);
  private static final JavaClasses VIOLATIONS = new ClassFileImporter().importPackages(BROKEN);

  /** The part of a package's name that says which room of the house it is. */
  @Nullable
  private static String room(String root, JavaClass type) {
    String name = type.getPackageName();
    if (!name.startsWith(root + ".")) {
      return null;
    }
    String[] parts = name.substring(root.length() + 1).split("\\.", -1);
    return parts.length > 1 && WINGS.contains(parts[0]) ? parts[0] + "." + parts[1] : parts[0];
  }

  private static boolean mayUse(String from, String to) {
    if (from.equals(to)) {
      return true;
    }
    if (from.equals("event")) {
      return false;
    }
    return FREE_FOR_ALL.contains(to) || ARROWS.getOrDefault(from, Set.of()).contains(to);
  }

  private static ArchRule siblingsDoNotMeet(String root) {
    return classes()
        .should(
            new ArchCondition<>("use only the packages that theirs may use") {
              @Override
              public void check(JavaClass type, ConditionEvents events) {
                for (Dependency d : type.getDirectDependenciesFromSelf()) {
                  String from = room(root, type);
                  String to = room(root, d.getTargetClass().getBaseComponentType());
                  if (from != null && to != null && !mayUse(from, to)) {
                    events.add(
                        SimpleConditionEvent.violated(
                            d, from + " may not use " + to + ": " + d.getDescription()));
                  }
                }
              }
            });
  }

  private static ArchRule noCycles(String root) {
    return slices().matching(root + ".(**)").should().beFreeOfCycles();
  }

  private static ArchRule packagesAreNamedByConcept() {
    return noClasses()
        .should()
        .resideInAnyPackage(
            "..util..", "..utils..", "..common..", "..helper..", "..helpers..", "..manager..");
  }

  private static ArchRule noConnector(String... packages) {
    return noClasses().should().dependOnClassesThat().resideInAnyPackage(packages);
  }

  private static ArchRule operatorsArePublicAndFinal() {
    return classes()
        .that()
        .areAssignableTo(StreamOperator.class)
        .or()
        .areAssignableTo(RichFunction.class)
        .should()
        .bePublic()
        .andShould()
        .haveModifier(com.tngtech.archunit.core.domain.JavaModifier.FINAL);
  }

  private static void assertBroken(ArchRule rule, String violation) {
    assertThat(rule.evaluate(VIOLATIONS).getFailureReport().getDetails())
        .anySatisfy(detail -> assertThat(detail).contains(violation));
  }

  @Test
  void theClassesAreThere() {
    assertThat(MAIN.contain("io.millrace.timeline.UserTimeline")).isTrue();
    assertThat(MAIN.contain("io.millrace.lake.parquet.ParquetRowWriter")).isTrue();
    assertThat(MAIN.contain(ArchitectureTest.class)).isFalse();
    assertThat(VIOLATIONS).hasSizeGreaterThanOrEqualTo(8);
  }

  @Test
  void eventUsesNothingAndSiblingsDoNotMeet() {
    siblingsDoNotMeet(OURS).check(MAIN);
    assertBroken(siblingsDoNotMeet(BROKEN), "event may not use ledger");
    assertBroken(siblingsDoNotMeet(BROKEN), "identity may not use ledger");
    assertBroken(siblingsDoNotMeet(BROKEN), "transform.shape may not use transform.clean");
  }

  @Test
  void packagesHaveNoCycles() {
    noCycles(OURS).check(MAIN);
    assertBroken(noCycles(BROKEN), "Cycle detected: Slice event");
  }

  @Test
  void noPackageIsNamedForNothingInParticular() {
    packagesAreNamedByConcept().check(MAIN);
    assertBroken(packagesAreNamedByConcept(), "broken.util.Anything");
  }

  @Test
  void theLibraryKnowsNoKafka() {
    noConnector("org.apache.kafka..", "org.apache.flink.connector.kafka..").check(MAIN);
    assertBroken(noConnector(BROKEN + ".kafka.."), "connected.OpenOperator");
  }

  @Test
  void operatorsAreNotExtendedAndCanBeRestored() {
    operatorsArePublicAndFinal().check(MAIN);
    assertBroken(operatorsArePublicAndFinal(), "OpenOperator> does not have modifier FINAL");
  }
}
