package io.millrace.job;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.junit.jupiter.api.Test;

/** A job is wired from ports: only these know what stands behind them. */
class JobArchitectureTest {
  private static final ArchRule JOBS_KNOW_NO_CONNECTOR =
      noClasses()
          .that()
          .haveSimpleNameEndingWith("Job")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.apache.flink.connector..", "org.apache.kafka..", "io.millrace.lake.parquet..");

  @Test
  void jobsKnowNoConnector() {
    JavaClasses jobs =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.millrace.job");
    JOBS_KNOW_NO_CONNECTOR.check(jobs);
  }

  /** What the rule is there to find. */
  static final class ConnectedJob {
    static final Class<?> CLIENT = ConsumerConfig.class;
  }

  @Test
  void theRuleFindsAJobThatKnowsOne() {
    JavaClasses broken = new ClassFileImporter().importClasses(ConnectedJob.class);
    assertThatThrownBy(() -> JOBS_KNOW_NO_CONNECTOR.check(broken))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("ConnectedJob");
  }
}
