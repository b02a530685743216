package io.millrace.lake.publish;

import static io.millrace.lake.publish.Lakes.DAILY;
import static io.millrace.lake.publish.Lakes.LATENESS;
import static io.millrace.lake.publish.Lakes.LINES;
import static io.millrace.lake.publish.Lakes.TABLE;
import static io.millrace.lake.publish.Lakes.await;
import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static io.millrace.lake.publish.Lakes.passed;
import static io.millrace.lake.publish.Lakes.success;
import static io.millrace.lake.publish.Lakes.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublisherTest {
  private static final PublishSettings SETTINGS =
      PublishSettings.completeAfter(LATENESS)
          .withRetry(Duration.ofMillis(1), Duration.ofMillis(20))
          .withCloseTimeout(Duration.ofSeconds(10));

  @TempDir private Path base;
  private final MemoryCatalog catalog = new MemoryCatalog();
  private Publisher publisher;

  private void start(PublishSettings settings, RowCounter rows, List<OpenPartition> restored) {
    start(TABLE, settings, rows, restored);
  }

  private void start(
      TableSchema table, PublishSettings settings, RowCounter rows, List<OpenPartition> restored) {
    publisher =
        new Publisher(
            table,
            flink(base),
            base.toString(),
            () -> catalog,
            rows,
            settings,
            new PublishMetrics(new UnregisteredMetricsGroup(), table.name()));
    publisher.restore(restored);
    publisher.start("publish-test", getClass().getClassLoader());
  }

  private void start() {
    start(SETTINGS, LINES, List.of());
  }

  @AfterEach
  void close() {
    publisher.close();
  }

  @Test
  void registersOnItsOwnThreadAlone() {
    start();
    publisher.add(hour(1));
    publisher.add(hour(0));
    publisher.add(hour(1));
    await("both registered", () -> publisher.unregistered() == 0);

    assertThat(catalog.paths()).containsExactly(hour(0).path(), hour(1).path());
    assertThat(catalog.callers()).containsExactly("publish-test");
    assertThat(success(base, hour(0))).isNull();
  }

  @Test
  void catchesUpWhenTheCatalogIsBack() {
    catalog.down(true);
    start();
    publisher.add(hour(0));
    await("several tries", () -> catalog.calls() > 3);
    publisher.add(hour(1));
    assertThat(publisher.unregistered()).isEqualTo(2);
    assertThat(publisher.open()).hasSize(2).noneMatch(OpenPartition::registered);

    catalog.down(false);
    await("both registered", () -> publisher.unregistered() == 0);
    assertThat(catalog.paths()).hasSize(2);
    assertThat(publisher.oldestUnregisteredSeconds()).isZero();
  }

  @Test
  void keepsWhatTheCatalogRefusesUntilThatIsSettled() throws Exception {
    catalog.refuse("column n of table lake.numbers is string in the catalog and bigint");
    start();
    publisher.add(hour(0));
    await("refused", publisher::refused);
    assertThat(publisher.finish(Duration.ofSeconds(20), () -> true)).isFalse();
    assertThat(publisher.missing()).containsExactly(hour(0));

    catalog.refuse("");
    await("registered", () -> publisher.unregistered() == 0);
    assertThat(publisher.refused()).isFalse();
  }

  @Test
  void registersNothingInATableThatWasReplacedMeanwhile() {
    start();
    publisher.add(hour(0));
    await("registered", () -> publisher.unregistered() == 0);

    catalog.replaceTable("table lake.numbers is at s3://other");
    publisher.add(hour(1));
    await("refused", publisher::refused);
    assertThat(catalog.paths()).containsExactly(hour(0).path());

    catalog.replaceTable("");
    await("registered", () -> publisher.unregistered() == 0);
    assertThat(publisher.refused()).isFalse();
  }

  @Test
  void completesWhenTheWatermarkPassesTheEndPlusLateness() {
    write(base, hour(0), "part-a", 3);
    write(base, hour(0), "part-b", 4);
    write(base, hour(0), ".part-c.inprogress", 5);
    write(base, hour(1), "part-d", 6);
    start();
    publisher.add(hour(0));
    publisher.add(hour(1));
    publisher.advance(passed(hour(0)) - 1);
    await("registered", () -> publisher.unregistered() == 0);
    assertThat(publisher.due()).isZero();
    assertThat(success(base, hour(0))).isNull();

    publisher.advance(passed(hour(0)));
    await("complete", () -> publisher.open().size() == 1);
    SuccessFile success = success(base, hour(0));
    assertThat(success.fileRows()).isEqualTo(Map.of("part-a", 3L, "part-b", 4L));
    assertThat(success.generation()).isEqualTo(1);
    assertThat(success.watermark()).isEqualTo(passed(hour(0)));
    assertThat(catalog.properties(hour(0)))
        .isEqualTo(
            Map.of(
                "millrace.complete", "true",
                "millrace.rows", "7",
                "millrace.files", "2",
                "millrace.generation", "1"));
    assertThat(success(base, hour(1))).isNull();
  }

  @Test
  void aDayIsCompleteAtItsOwnEndPlusLateness() throws Exception {
    TimePartition day = TimePartition.day(hour(0).start());
    TimePartition next = TimePartition.day(day.end());
    write(base, day, "part-a", 3);
    write(base, next, "part-b", 4);
    start(DAILY, SETTINGS, LINES, List.of(new OpenPartition(next.start(), false, 1)));
    publisher.add(day);
    publisher.advance(passed(hour(0)));
    await("registered", () -> publisher.unregistered() == 0);
    assertThat(catalog.paths())
        .containsExactly("year=2026/month=01/day=31", "year=2026/month=02/day=01");
    publisher.advance(passed(day) - 1);
    assertThat(publisher.due()).isZero();
    assertThat(publisher.open()).hasSize(2);

    publisher.advance(passed(day));
    await("complete", () -> publisher.open().size() == 1);
    assertThat(catalog.properties(day)).containsEntry("millrace.rows", "3");
    assertThat(success(base, day).watermark()).isEqualTo(passed(day));
    assertThat(success(base, next)).isNull();

    catalog.drop(day);
    Repair repair = new Repair(DAILY, flink(base), base.toString(), catalog);
    assertThat(repair.run()).isEqualTo(new Repair.Report(2, List.of(day), List.of(day), List.of()));
    assertThat(catalog.properties(day)).containsEntry("millrace.complete", "true");
  }

  @Test
  void aLateFileRaisesTheGenerationAndOnlyItIsRead() {
    AtomicInteger reads = new AtomicInteger();
    write(base, hour(0), "part-a", 3);
    start(
        SETTINGS,
        file -> {
          reads.incrementAndGet();
          return LINES.rows(file);
        },
        List.of());
    publisher.advance(passed(hour(0)));
    publisher.add(hour(0));
    await("complete", () -> publisher.open().isEmpty());

    write(base, hour(0), "part-late", 2);
    publisher.add(hour(0));
    await("complete again", () -> publisher.open().isEmpty());
    assertThat(success(base, hour(0)).generation()).isEqualTo(2);
    assertThat(success(base, hour(0)).rows()).isEqualTo(5);
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.generation", "2")
        .containsEntry("millrace.rows", "5");
    assertThat(reads).hasValue(2);

    // The same commit, reported again after a failure.
    publisher.add(hour(0));
    await("nothing left", () -> publisher.open().isEmpty());
    assertThat(success(base, hour(0)).generation()).isEqualTo(2);
    assertThat(reads).hasValue(2);
  }

  @Test
  void writesTheFileWhileTheCatalogIsDown() {
    catalog.down(true);
    write(base, hour(0), "part-a", 3);
    start();
    publisher.add(hour(0));
    publisher.advance(Long.MAX_VALUE);
    await("the file", () -> success(base, hour(0)) != null);
    assertThat(publisher.open()).hasSize(1);
    assertThat(publisher.due()).isEqualTo(1);

    catalog.down(false);
    await("marked", () -> publisher.open().isEmpty());
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.rows", "3");
    assertThat(success(base, hour(0)).generation()).isEqualTo(1);
  }

  @Test
  void registersAgainWhatWasDropped() {
    write(base, hour(0), "part-a", 3);
    start();
    publisher.add(hour(0));
    await("registered", () -> publisher.unregistered() == 0);
    catalog.drop(hour(0));
    publisher.advance(Long.MAX_VALUE);
    await("marked", () -> publisher.open().isEmpty());
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.complete", "true");
  }

  @Test
  void aFileThatCannotBeReadHoldsUpNoOtherPartition() {
    write(base, hour(0), "part-bad", 1);
    write(base, hour(1), "part-good", 1);
    AtomicInteger failures = new AtomicInteger();
    start(
        SETTINGS,
        file -> {
          if (file.getName().endsWith("bad") && failures.incrementAndGet() < 5) {
            throw new IOException("503");
          }
          return LINES.rows(file);
        },
        List.of());
    publisher.add(hour(0));
    publisher.add(hour(1));
    publisher.advance(Long.MAX_VALUE);
    await("both complete", () -> publisher.open().isEmpty());
    assertThat(failures).hasValue(5);
    assertThat(success(base, hour(0)).rows()).isEqualTo(1);
  }

  @Test
  void restoredPartitionsAreRegisteredAndWaitForAWatermark() {
    write(base, hour(0), "part-a", 3);
    write(base, hour(1), "part-b", 3);
    start(
        SETTINGS,
        LINES,
        List.of(
            new OpenPartition(hour(0).start(), false, 1),
            new OpenPartition(hour(1).start(), true, 1)));
    await("registered", () -> publisher.unregistered() == 0);
    assertThat(catalog.paths()).containsExactly(hour(0).path());
    assertThat(publisher.due()).isZero();
    assertThat(publisher.open()).hasSize(2);

    publisher.advance(Long.MAX_VALUE);
    await("complete", () -> publisher.open().isEmpty());
    assertThat(catalog.paths()).hasSize(2);
    assertThat(success(base, hour(1)).watermark()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void neverCompletesARawTable() {
    write(base, hour(0), "part-a", 3);
    start(
        PublishSettings.neverComplete().withRetry(Duration.ofMillis(1), Duration.ofMillis(2)),
        LINES,
        List.of());
    publisher.add(hour(0));
    publisher.advance(Long.MAX_VALUE);
    await("registered", () -> publisher.open().isEmpty());
    int calls = catalog.calls();
    publisher.add(hour(0));
    assertThat(publisher.open()).isEmpty();
    assertThat(catalog.calls()).isEqualTo(calls);
    assertThat(catalog.paths()).containsExactly(hour(0).path());
    assertThat(success(base, hour(0))).isNull();
  }

  @Test
  void aVanishedPartitionIsNoLongerOpen() {
    start();
    publisher.add(hour(0));
    publisher.advance(Long.MAX_VALUE);
    await("nothing left", () -> publisher.open().isEmpty());
    assertThat(Files.exists(base.resolve(hour(0).path()))).isFalse();
  }

  @Test
  void aHungCatalogHoldsUpNeitherTheTaskNorTheClose() throws Exception {
    catalog.hang();
    start();
    publisher.add(hour(0));
    catalog.awaitHung();
    publisher.add(hour(1));
    assertThat(publisher.open()).hasSize(2);
    assertThat(publisher.finish(Duration.ofMillis(50), () -> true)).isFalse();
    publisher.close();
    assertThat(publisher.missing()).containsExactly(hour(0), hour(1));
  }

  @Test
  void finishWaitsForWhatIsPendingUnlessToldToStop() throws Exception {
    catalog.down(true);
    start();
    publisher.add(hour(0));
    assertThat(publisher.finish(Duration.ofSeconds(20), () -> catalog.calls() < 5)).isFalse();
    catalog.down(false);
    assertThat(publisher.finish(Duration.ofSeconds(20), () -> true)).isTrue();
    assertThat(catalog.paths()).containsExactly(hour(0).path());
  }

  @Test
  void repairRegistersAndMarksWhatTheCatalogLacks() throws Exception {
    write(base, hour(0), "part-a", 3);
    start();
    publisher.add(hour(0));
    publisher.advance(Long.MAX_VALUE);
    await("complete", () -> publisher.open().isEmpty());
    catalog.drop(hour(0));
    write(base, hour(1), "part-b", 1);
    Files.createDirectories(base.resolve(hour(2).path()));
    TimePartition gone = hour(5);
    catalog.addPartitions(TABLE, List.of(gone));

    List<Integer> seen = new ArrayList<>();
    Repair repair = new Repair(TABLE, flink(base), base.toString(), catalog).onProgress(seen::add);
    SuccessFile success = success(base, hour(0));
    assertThat(repair.survey())
        .containsExactly(
            new Repair.Found(hour(0), 1, Optional.of(success), Optional.empty()),
            new Repair.Found(hour(1), 1, Optional.empty(), Optional.empty()),
            new Repair.Found(gone, 0, Optional.empty(), Optional.of(Map.of())))
        .extracting(Repair.Found::marked)
        .containsExactly(false, true, true);
    assertThat(seen).containsExactly(1, 2);
    assertThat(catalog.paths()).as("a survey changes nothing").containsExactly(gone.path());
    assertThat(repair.run())
        .isEqualTo(
            new Repair.Report(2, List.of(hour(0), hour(1)), List.of(hour(0)), List.of(gone)));
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.rows", "3");
    assertThat(repair.run()).isEqualTo(new Repair.Report(2, List.of(), List.of(), List.of(gone)));
  }
}
