package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.datagen.SimulatedFiles;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A lake on S3 that was written without a catalog, and what a repair makes of it. */
class PartitionsITCase {
  private static final String NAME = "partitions";
  private static final String ROOT = "s3://" + Stack.BUCKET + "/" + NAME;

  private static Stack stack;
  private static Truth truth;

  /** What the command said and how it ended. */
  private record End(int code, List<String> lines, String errors) {}

  @BeforeAll
  static void writeALake(@TempDir Path folder) throws Exception {
    stack = Stack.shared();
    Path input = Files.createDirectories(folder.resolve("in"));
    truth =
        SimulatedFiles.write(
            SimulatorOptions.of(5_000, 51).withMalformed(0.05).withDuplicates(0.05), input, 2_500);
    EngagementConfig config =
        EngagementConfig.parse(
            "--source", "files", "--input", input.toUri().toString(), "--lake.root", ROOT);
    try (FlinkCluster flink = stack.startFlink(1, 2)) {
      StreamExecutionEnvironment env = flink.environment();
      env.configure(EngagementJob.flinkSettings(config));
      EngagementJob.build(env, config);
      flink.waitUntilFinished(flink.submit(env), Duration.ofMinutes(3));
    }
  }

  private static End run(String action, String lake) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter errors = new StringWriter();
    Map<String, String> environment =
        Map.of(
            "AWS_ACCESS_KEY_ID", stack.s3().accessKey(),
            "AWS_SECRET_ACCESS_KEY", stack.s3().secretKey());
    List<String> args =
        new ArrayList<>(
            List.of(
                action,
                "--lake",
                lake,
                "--catalog-uri",
                stack.metastore().uri().toString(),
                "--database",
                NAME,
                "--s3-endpoint",
                stack.s3().endpoint().toString()));
    int code =
        Commands.run(
            new Partitions(new PrintStream(out, true, StandardCharsets.UTF_8), environment),
            args.toArray(new String[0]),
            new PrintWriter(errors, true));
    return new End(code, out.toString(StandardCharsets.UTF_8).lines().toList(), errors.toString());
  }

  private static Catalog catalog() {
    return CatalogSpec.hive(stack.metastore().uri().toString(), NAME).open();
  }

  @Test
  void repairMakesTheCatalogTellWhatTheLakeHolds() throws Exception {
    TimePartition hour = TimePartition.hour(truth.rowsByEventHour().keySet().iterator().next());
    long rows = truth.rowsByEventHour().get(hour.start());

    End before = run("list", ROOT + "/");
    assertThat(before.errors()).isEmpty();
    assertThat(before.code()).isZero();
    assertThat(before.lines())
        .anyMatch(
            l -> l.matches("app_events +" + hour.path() + " +1 +no +not in the cat.* " + rows))
        .noneMatch(l -> l.contains(" yes "))
        .last()
        .asString()
        .endsWith(": repair adds it");
    try (Catalog catalog = catalog()) {
      assertThat(catalog.partitions(AppEventTable.SCHEMA)).as("a list adds nothing").isEmpty();
    }

    int hours = truth.rowsByEventHour().size();
    End repair = run("repair", ROOT);
    assertThat(repair.errors()).isEmpty();
    assertThat(repair.lines())
        .anyMatch(l -> l.matches("app_events +" + hours + " +" + hours + " +" + hours + " +0"))
        .anyMatch(l -> l.matches("raw_app_events +\\d+ +\\d+ +0 +0"));
    try (Catalog catalog = catalog();
        LakeReader lake =
            LakeReader.ofCatalog(
                catalog, l -> stack.lake().resolve(l.replaceFirst("^s3a?://[^/]+/", "")))) {
      assertThat(Audit.of(truth, lake, "", false, catalog).failures()).isEmpty();
    }

    assertThat(run("repair", ROOT).lines())
        .anyMatch(l -> l.matches("app_events +" + hours + " +0 +0 +0"));
    assertThat(run("list", ROOT).lines())
        .anyMatch(l -> l.matches("app_events +" + hour.path() + " +1 +yes +yes +" + rows))
        .anyMatch(l -> l.matches("ledger +year=.* +yes +no"))
        .last()
        .asString()
        .endsWith("the catalog tells all of them");
  }

  @Test
  void aRootWithoutTablesMakesNoTables() throws Exception {
    End end = run("repair", ROOT + "/mistyped");
    assertThat(end.errors())
        .isEqualTo(
            "scripts/partitions: --lake is '"
                + ROOT
                + "/mistyped', but no table of Millrace has a partition there\n");
    assertThat(end.code()).isEqualTo(2);
  }
}
