package io.millrace.lake.publish;

import static io.millrace.lake.publish.BackfillLake.HOURS;
import static io.millrace.lake.publish.BackfillLake.TABLE;
import static io.millrace.lake.publish.BackfillLake.events;
import static io.millrace.lake.publish.Lakes.await;
import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static io.millrace.lake.publish.Lakes.passed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.publish.BackfillPlan.Stage;
import io.millrace.lake.publish.Swap.Outcome;
import io.millrace.lake.publish.Swap.Swapped;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A backfill's partitions in the place of those that a live job goes on writing. */
class SwapTest {
  @TempDir private Path root;
  private final MemoryCatalog catalog = new MemoryCatalog();
  private BackfillLake lake;
  private BackfillPlan plan;

  /** The live job has written offsets 0 to 9 to hour 0; raw has them. */
  @BeforeEach
  void writeALake() throws Exception {
    lake = new BackfillLake(root);
    lake.raw("part-raw-0", 0, 9);
    events(lake.own(hour(0)), "part-live", 0, 9);
    lake.complete(lake.own(hour(0)));
    catalog.ensureTable(TABLE, root.resolve(TABLE.path()).toString());
    catalog.addPartitions(TABLE, List.of(hour(0)));
    plan = lake.plan("run-1", "2026-03-01T00:00:00Z");
  }

  private List<Swapped> swap(BackfillPlan of) throws Exception {
    List<Swapped> all = new ArrayList<>();
    new Swap(flink(root), of, catalog, ParquetFooter::rows).run(TABLE, all::add);
    return all;
  }

  private List<String> obstacles(BackfillPlan of) throws Exception {
    return new Swap(flink(root), of, catalog, ParquetFooter::rows).obstacles(TABLE);
  }

  private RegisteredPartition registered(TimePartition partition) {
    return catalog.partition(TABLE, partition).orElseThrow();
  }

  private static Swapped swapped(int n, Outcome outcome, long before, long rows, int late) {
    return new Swapped(TABLE, hour(n), outcome, before, rows, late);
  }

  @Test
  void readersOfTheCatalogSeeTheGenerationAndReadersByPathTheTable() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 7);
    events(lake.generation(plan, hour(1)), "part-more", 8, 9);
    events(lake.generation(plan, hour(-1)), "part-context", 0, 1);

    assertThat(obstacles(plan)).isEmpty();
    assertThat(swap(plan))
        .containsExactly(
            swapped(0, Outcome.SWAPPED, 10, 8, 0), swapped(1, Outcome.SWAPPED, 0, 2, 0));
    assertThat(registered(hour(0)).isAt(lake.generation(plan, hour(0)).toString())).isTrue();
    assertThat(registered(hour(1)).isAt(lake.generation(plan, hour(1)).toString())).isTrue();
    assertThat(catalog.paths()).containsExactly(hour(0).path(), hour(1).path());
    assertThat(catalog.properties(hour(0)))
        .isEqualTo(
            Map.of(
                "millrace.complete", "true",
                "millrace.rows", "8",
                "millrace.files", "1",
                "millrace.generation", "2"));
    assertThat(lake.own(hour(0)).resolve("part-live")).exists();
    assertThat(lake.own(hour(1))).doesNotExist();

    // Once more changes nothing.
    assertThat(swap(plan))
        .containsExactly(
            swapped(0, Outcome.ALREADY, 8, 8, 0), swapped(1, Outcome.ALREADY, 2, 2, 0));
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.generation", "2");
  }

  @Test
  void aSwapThatWasInterruptedGoesOnWithTheSamePlan() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 7);
    events(lake.generation(plan, hour(1)), "part-more", 8, 9);
    plan.at(Stage.WRITTEN).write(flink(root));
    Swap swap = new Swap(flink(root), plan, catalog, ParquetFooter::rows);
    assertThatThrownBy(() -> swap.run(TABLE, done -> catalog.down(true)))
        .isInstanceOf(CatalogException.class);
    catalog.down(false);
    assertThat(catalog.paths()).containsExactly(hour(0).path());

    BackfillPlan found = BackfillPlan.read(BackfillPlan.file(flink(root), HOURS)).orElseThrow();
    assertThat(found).isEqualTo(plan.at(Stage.WRITTEN));
    assertThat(obstacles(found)).isEmpty();
    assertThat(swap(found))
        .containsExactly(
            swapped(0, Outcome.ALREADY, 8, 8, 0), swapped(1, Outcome.SWAPPED, 0, 2, 0));
  }

  @Test
  void whatTheBackfillHasNotReadIsCopied() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 9);
    // Committed after the plan was made; another one was read, though it came as late.
    events(lake.own(hour(0)), "part-late", 10, 12);
    events(lake.own(hour(0)), "part-late-but-read", 9, 9);
    assertThat(swap(plan).get(0)).isEqualTo(swapped(0, Outcome.SWAPPED, 10, 13, 1));
    assertThat(lake.generation(plan, hour(0)).resolve("part-late"))
        .hasSameBinaryContentAs(lake.own(hour(0)).resolve("part-late"));
    assertThat(lake.generation(plan, hour(0)).resolve("part-late-but-read")).doesNotExist();
  }

  @Test
  void aFileThatWasReadInPartStopsTheSwapBeforeAnythingMoves() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 9);
    events(lake.own(hour(0)), "part-both", 9, 10);
    assertRefused(plan);
    assertThat(registered(hour(0)).isAt(lake.own(hour(0)).toString())).isTrue();

    // The next plan has read the rest.
    lake.raw("part-raw-1", 10, 10);
    BackfillPlan anew = lake.plan("run-2", "2026-03-02T00:00:00Z");
    events(lake.generation(anew, hour(0)), "part-new", 0, 10);
    assertThat(obstacles(anew)).isEmpty();
    assertThat(swap(anew).get(0)).isEqualTo(swapped(0, Outcome.SWAPPED, 10, 11, 0));
  }

  @Test
  void aFileThatWasReadInPartIsFoundBeforeAnEarlierPartitionIsSwapped() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 8);
    events(lake.own(hour(1)), "part-both", 9, 10);
    lake.complete(lake.own(hour(1)));
    catalog.addPartitions(TABLE, List.of(hour(1)));
    assertThat(obstacles(plan))
        .singleElement()
        .asString()
        .startsWith("partition " + hour(1).path() + " of table app_events cannot be swapped: ");

    // As after a swap that was interrupted by it: that of the first partition stays in force.
    assertThatThrownBy(() -> swap(plan)).hasMessageContaining("part-both");
    assertThat(registered(hour(0)).isAt(lake.generation(plan, hour(0)).toString())).isTrue();
    assertThat(new Swap(flink(root), plan, catalog, ParquetFooter::rows).mixed(TABLE)).hasSize(1);
    lake.raw("part-raw-1", 10, 10);
    BackfillPlan anew = lake.plan("run-2", "2026-03-02T00:00:00Z");
    events(lake.generation(anew, hour(0)), "part-new", 0, 8);
    events(lake.generation(anew, hour(1)), "part-new", 9, 10);
    assertThat(obstacles(anew)).isEmpty();
    assertThat(swap(anew))
        .containsExactly(
            swapped(0, Outcome.SWAPPED, 9, 9, 0), swapped(1, Outcome.SWAPPED, 2, 2, 0));
  }

  private void assertRefused(BackfillPlan of) throws Exception {
    String name = "partition " + hour(0).path() + " of table app_events cannot be swapped: ";
    String end =
        "part-both have been read from raw and others not: run the same command again, without"
            + " --raw-until or with a later one";
    assertThat(obstacles(of))
        .singleElement()
        .asString()
        .startsWith(name + "some rows of ")
        .endsWith(end);
    assertThatThrownBy(() -> swap(of))
        .hasMessageStartingWith(name + "some rows of ")
        .hasMessageEndingWith(end);
  }

  @Test
  void aPartitionWithoutRowsIsEmptyAndOneThatNeverHadAnyIsNone() throws Exception {
    assertThat(swap(plan))
        .containsExactly(
            swapped(0, Outcome.SWAPPED, 10, 0, 0), swapped(1, Outcome.NO_ROWS, 0, 0, 0));
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.complete", "true")
        .containsEntry("millrace.rows", "0");
    assertThat(lake.generation(plan, hour(0)).resolve("_SUCCESS")).exists();
    assertThat(catalog.paths()).containsExactly(hour(0).path());
  }

  @Test
  void anErasureSinceThePlanKeepsItFromBeingSwapped() throws Exception {
    Swap swap = new Swap(flink(root), plan, catalog, ParquetFooter::rows);
    assertThat(swap.erasures()).isEmpty();
    ErasureRecord before = ErasureRecord.begin("e-1", "ann", "asked", "2026-02-28T00:00:00Z");
    before.write(flink(root));
    assertThat(swap.erasures())
        .containsExactly(
            "erasure e-1, begun at 2026-02-28T00:00:00Z, has not ended: wait for it, or where it"
                + " was interrupted run scripts/erase again for the same person");
    before.end(plan.plannedAt()).write(flink(root));
    assertThat(swap.erasures()).isEmpty();
    before.end("2026-03-01T00:00:01Z").write(flink(root));
    assertThat(swap.erasures())
        .containsExactly(
            "erasure e-1 ended at 2026-03-01T00:00:01Z, after the backfill had begun to read that"
                + " person's records");
  }

  @Test
  void obstaclesAreToldBeforeAnythingIsDone() throws Exception {
    events(lake.own(hour(1)), "part-live", 3, 4);
    assertThat(obstacles(plan))
        .containsExactly(
            "partition "
                + hour(1).path()
                + " of table app_events is not in the catalog: scripts/partitions repair adds it");
    catalog.addPartitions(TABLE, List.of(hour(1)));
    assertThat(obstacles(plan))
        .containsExactly(
            "partition "
                + hour(1).path()
                + " of table app_events is not complete yet: the job that writes it has to pass"
                + " its end");
    lake.complete(lake.own(hour(1)));
    assertThat(obstacles(plan)).isEmpty();
  }

  @Test
  void aLaterBackfillIsNotTakenBack() throws Exception {
    BackfillPlan narrow = lake.plan("run-3", "2026-03-03T00:00:00Z");
    lake.raw("part-raw-1", 10, 20);
    BackfillPlan later = lake.plan("run-2", "2026-03-02T00:00:00Z");
    events(lake.generation(later, hour(0)), "part-new", 0, 9);
    assertThat(obstacles(later)).isEmpty();
    swap(later);
    String name = "partition " + hour(0).path() + " of table app_events";
    assertThat(obstacles(plan))
        .containsExactly(name + " was recomputed by the later backfill run-2");
    assertThat(obstacles(narrow))
        .containsExactly(
            name
                + " was recomputed from more of raw by the backfill run-2: --raw-until has to be"
                + " later");

    BackfillPlan next = lake.plan("run-4", "2026-03-04T00:00:00Z");
    events(lake.generation(next, hour(0)), "part-newer", 0, 8);
    assertThat(obstacles(next)).isEmpty();
    assertThat(swap(next).get(0)).isEqualTo(swapped(0, Outcome.SWAPPED, 10, 9, 0));
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.generation", "3");
  }

  /** As the live job does when a file was committed to hour 0. */
  private void publish() throws Exception {
    try (Publisher publisher =
        new Publisher(
            TABLE,
            flink(root.resolve(TABLE.path())),
            root.resolve(TABLE.path()) + "/",
            () -> catalog,
            ParquetFooter::rows,
            PublishSettings.completeAfter(Lakes.LATENESS)
                .withRetry(Duration.ofMillis(1), Duration.ofMillis(20)),
            new PublishMetrics(new UnregisteredMetricsGroup(), TABLE.name()))) {
      publisher.start("publish-test", getClass().getClassLoader());
      publisher.add(hour(0));
      publisher.advance(passed(hour(0)));
      await("marked", () -> publisher.open().isEmpty());
    }
  }

  @Test
  void aSwapWhileThePublisherMarksIsWhatThePropertiesTellOf() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 7);
    events(lake.own(hour(0)), "part-later", 10, 12);
    List<Swapped> meanwhile = new ArrayList<>();
    catalog.beforeProperties(() -> meanwhile.addAll(swap(plan)));
    publish();
    assertThat(meanwhile).contains(swapped(0, Outcome.SWAPPED, 13, 11, 1));
    assertThat(registered(hour(0)).isAt(lake.generation(plan, hour(0)).toString())).isTrue();
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.rows", "11")
        .containsEntry("millrace.generation", "3");
  }

  @Test
  void whatThePublisherCopiesDuringASwapIsCounted() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 7);
    catalog.afterPlace(
        () -> {
          events(lake.own(hour(0)), "part-later", 10, 12);
          publish();
        });
    assertThat(swap(plan).get(0)).isEqualTo(swapped(0, Outcome.SWAPPED, 10, 11, 0));
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.rows", "11")
        .containsEntry("millrace.generation", "3");
  }

  @Test
  void theLiveJobsPublisherFollowsASwap() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 9);
    swap(plan);
    events(lake.own(hour(0)), "part-later", 10, 12);
    publish();
    assertThat(lake.generation(plan, hour(0)).resolve("part-later"))
        .hasSameBinaryContentAs(lake.own(hour(0)).resolve("part-later"));
    assertThat(lake.generation(plan, hour(0)).resolve("part-live")).doesNotExist();
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.rows", "13")
        .containsEntry("millrace.files", "2")
        .containsEntry("millrace.generation", "3");
    assertThat(registered(hour(0)).isAt(lake.generation(plan, hour(0)).toString())).isTrue();

    Repair repair =
        new Repair(
            TABLE,
            flink(root.resolve(TABLE.path())),
            root.resolve(TABLE.path()).toString(),
            catalog);
    assertThat(repair.survey())
        .singleElement()
        .matches(Repair.Found::marked)
        .extracting(Repair.Found::files)
        .isEqualTo(2);
    assertThat(repair.run()).isEqualTo(new Repair.Report(1, List.of(), List.of(), List.of()));
  }
}
