package io.millrace.lake.publish;

import static io.millrace.lake.publish.Lakes.await;
import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static io.millrace.lake.publish.Lakes.passed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.AppEvent;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.LakeTable;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.publish.BackfillPlan.Stage;
import io.millrace.lake.publish.BackfillPlan.Window;
import io.millrace.lake.publish.RawFiles.Listing;
import io.millrace.lake.publish.Swap.Outcome;
import io.millrace.lake.publish.Swap.Swapped;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A backfill's partitions in the place of those that a live job goes on writing. */
class SwapTest {
  private static final TableSchema TABLE = AppEventTable.SCHEMA;
  private static final HourRange HOURS = new HourRange(hour(0).start(), hour(1).end());
  private static final Window WINDOW =
      new Window(HOURS, hour(-30).start(), hour(4).start(), hour(4).start());

  @TempDir private Path root;
  private final MemoryCatalog catalog = new MemoryCatalog();
  private BackfillPlan plan;

  /** The live job has written offsets 0 to 9 to hour 0; raw has them. */
  @BeforeEach
  void writeALake() throws Exception {
    raw("part-raw-0", 0, 9);
    events(own(hour(0)), "part-live", 0, 9);
    complete(own(hour(0)));
    catalog.ensureTable(TABLE, root.resolve(TABLE.path()).toString());
    catalog.addPartitions(TABLE, List.of(hour(0)));
    plan = plan("run-1", "2026-03-01T00:00:00Z");
  }

  private BackfillPlan plan(String run, String plannedAt) throws IOException {
    return BackfillPlan.of(
        flink(root),
        RawEventTable.SCHEMA,
        hour(-40).start(),
        hour(10).start(),
        WINDOW,
        run,
        plannedAt);
  }

  private Path own(TimePartition partition) {
    return root.resolve(TABLE.path()).resolve(partition.path());
  }

  private Path generation(BackfillPlan of, TimePartition partition) {
    return Path.of(of.folder(flink(root), TABLE).getPath()).resolve(partition.path());
  }

  private void complete(Path folder) throws IOException {
    new Completion(flink(folder), ParquetFooter::rows)
        .complete(flink(folder), Long.MAX_VALUE, () -> false);
  }

  private void raw(String name, long first, long last) throws IOException {
    raw(2, name, first, last);
  }

  private Path raw(int n, String name, long first, long last) throws IOException {
    Path file = root.resolve(RawEventTable.SCHEMA.path()).resolve(hour(n).path()).resolve(name);
    write(
        file,
        new RawEventTable(),
        offsets(first, last)
            .mapToObj(
                o ->
                    new Received(
                        origin(o),
                        null,
                        List.of(),
                        null,
                        hour(2).start(),
                        null,
                        List.of(new Rejection(RejectReason.NULL_VALUE, "", ""))))
            .toList());
    return file;
  }

  private static void events(Path folder, String name, long first, long last) throws IOException {
    write(
        folder.resolve(name),
        new AppEventTable(),
        offsets(first, last)
            .mapToObj(
                o ->
                    new AppEvent(
                        new Event(
                            "e" + o,
                            "u",
                            null,
                            "purchase",
                            hour(0).start() + o,
                            Origin.NO_TIME,
                            Device.UNKNOWN,
                            Geo.UNKNOWN,
                            Map.of(),
                            Dimensions.NONE,
                            origin(o)),
                        false,
                        true))
            .toList());
  }

  private static LongStream offsets(long first, long last) {
    return LongStream.rangeClosed(first, last);
  }

  private static Origin origin(long offset) {
    return new Origin("session", 0, offset, hour(2).start(), hour(2).start());
  }

  private static <T> void write(Path file, LakeTable<T> table, List<T> rows) throws IOException {
    Files.createDirectories(file.getParent());
    ParquetRowWriter.Factory<T> factory =
        new ParquetRowWriter.Factory<>(table, new Lineage("j", "v", "r"), ParquetOptions.DEFAULT);
    try (LocalDataOutputStream out = new LocalDataOutputStream(file.toFile())) {
      ParquetRowWriter<T> writer = factory.create(out);
      for (T row : rows) {
        writer.addElement(row);
      }
      writer.finish();
    }
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
    events(generation(plan, hour(0)), "part-new", 0, 7);
    events(generation(plan, hour(1)), "part-more", 8, 9);
    events(generation(plan, hour(-1)), "part-context", 0, 1);

    assertThat(obstacles(plan)).isEmpty();
    assertThat(swap(plan))
        .containsExactly(
            swapped(0, Outcome.SWAPPED, 10, 8, 0), swapped(1, Outcome.SWAPPED, 0, 2, 0));
    assertThat(registered(hour(0)).isAt(generation(plan, hour(0)).toString())).isTrue();
    assertThat(registered(hour(1)).isAt(generation(plan, hour(1)).toString())).isTrue();
    assertThat(catalog.paths()).containsExactly(hour(0).path(), hour(1).path());
    assertThat(catalog.properties(hour(0)))
        .isEqualTo(
            Map.of(
                "millrace.complete", "true",
                "millrace.rows", "8",
                "millrace.files", "1",
                "millrace.generation", "2"));
    assertThat(own(hour(0)).resolve("part-live")).exists();
    assertThat(own(hour(1))).doesNotExist();

    // Once more changes nothing.
    assertThat(swap(plan))
        .containsExactly(
            swapped(0, Outcome.ALREADY, 8, 8, 0), swapped(1, Outcome.ALREADY, 2, 2, 0));
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.generation", "2");
  }

  @Test
  void aSwapThatWasInterruptedGoesOnWithTheSamePlan() throws Exception {
    events(generation(plan, hour(0)), "part-new", 0, 7);
    events(generation(plan, hour(1)), "part-more", 8, 9);
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
    events(generation(plan, hour(0)), "part-new", 0, 9);
    // Committed after the plan was made; another one was read, though it came as late.
    events(own(hour(0)), "part-late", 10, 12);
    events(own(hour(0)), "part-late-but-read", 9, 9);
    assertThat(swap(plan).get(0)).isEqualTo(swapped(0, Outcome.SWAPPED, 10, 13, 1));
    assertThat(generation(plan, hour(0)).resolve("part-late"))
        .hasSameBinaryContentAs(own(hour(0)).resolve("part-late"));
    assertThat(generation(plan, hour(0)).resolve("part-late-but-read")).doesNotExist();
  }

  @Test
  void aFileThatWasReadInPartStopsTheSwapBeforeAnythingMoves() throws Exception {
    events(generation(plan, hour(0)), "part-new", 0, 9);
    events(own(hour(0)), "part-both", 9, 10);
    assertRefused(plan);
    assertThat(registered(hour(0)).isAt(own(hour(0)).toString())).isTrue();

    // The next plan has read the rest.
    raw("part-raw-1", 10, 10);
    BackfillPlan anew = plan("run-2", "2026-03-02T00:00:00Z");
    events(generation(anew, hour(0)), "part-new", 0, 10);
    assertThat(obstacles(anew)).isEmpty();
    assertThat(swap(anew).get(0)).isEqualTo(swapped(0, Outcome.SWAPPED, 10, 11, 0));
  }

  @Test
  void aFileThatWasReadInPartIsFoundBeforeAnEarlierPartitionIsSwapped() throws Exception {
    events(generation(plan, hour(0)), "part-new", 0, 8);
    events(own(hour(1)), "part-both", 9, 10);
    complete(own(hour(1)));
    catalog.addPartitions(TABLE, List.of(hour(1)));
    assertThat(obstacles(plan))
        .singleElement()
        .asString()
        .startsWith("partition " + hour(1).path() + " of table app_events cannot be swapped: ");

    // As after a swap that was interrupted by it: that of the first partition stays in force.
    assertThatThrownBy(() -> swap(plan)).hasMessageContaining("part-both");
    assertThat(registered(hour(0)).isAt(generation(plan, hour(0)).toString())).isTrue();
    assertThat(new Swap(flink(root), plan, catalog, ParquetFooter::rows).mixed(TABLE)).hasSize(1);
    raw("part-raw-1", 10, 10);
    BackfillPlan anew = plan("run-2", "2026-03-02T00:00:00Z");
    events(generation(anew, hour(0)), "part-new", 0, 8);
    events(generation(anew, hour(1)), "part-new", 9, 10);
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
    assertThat(generation(plan, hour(0)).resolve("_SUCCESS")).exists();
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
  void whatIsGivenUpIsNoPlanAnyMore() throws Exception {
    events(generation(plan, hour(0)), "part-new", 0, 9);
    plan.write(flink(root));
    assertThat(BackfillPlan.unfinished(flink(root))).containsExactly(plan);
    assertThat(plan.stands(flink(root))).isTrue();

    // Of the same hours another one was begun since: that one stays.
    BackfillPlan other = plan("run-2", "2026-03-02T00:00:00Z");
    events(generation(other, hour(0)), "part-new", 0, 9);
    other.write(flink(root));
    assertThat(plan.stands(flink(root))).isFalse();
    plan.giveUp(flink(root));
    assertThat(generation(plan, hour(0))).doesNotExist();
    assertThat(BackfillPlan.unfinished(flink(root))).containsExactly(other);

    // Readers may have been sent to some of it already.
    other.at(Stage.WRITTEN).write(flink(root));
    other.at(Stage.WRITTEN).giveUp(flink(root));
    assertThat(generation(other, hour(0)).resolve("part-new")).exists();
    assertThat(BackfillPlan.unfinished(flink(root))).isEmpty();

    other.at(Stage.SWAPPED).write(flink(root));
    assertThat(BackfillPlan.unfinished(flink(root))).isEmpty();
  }

  @Test
  void obstaclesAreToldBeforeAnythingIsDone() throws Exception {
    events(own(hour(1)), "part-live", 3, 4);
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
    complete(own(hour(1)));
    assertThat(obstacles(plan)).isEmpty();
  }

  @Test
  void aLaterBackfillIsNotTakenBack() throws Exception {
    BackfillPlan narrow = plan("run-3", "2026-03-03T00:00:00Z");
    raw("part-raw-1", 10, 20);
    BackfillPlan later = plan("run-2", "2026-03-02T00:00:00Z");
    events(generation(later, hour(0)), "part-new", 0, 9);
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

    BackfillPlan next = plan("run-4", "2026-03-04T00:00:00Z");
    events(generation(next, hour(0)), "part-newer", 0, 8);
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
    events(generation(plan, hour(0)), "part-new", 0, 7);
    events(own(hour(0)), "part-later", 10, 12);
    List<Swapped> meanwhile = new ArrayList<>();
    catalog.beforeProperties(() -> meanwhile.addAll(swap(plan)));
    publish();
    assertThat(meanwhile).contains(swapped(0, Outcome.SWAPPED, 13, 11, 1));
    assertThat(registered(hour(0)).isAt(generation(plan, hour(0)).toString())).isTrue();
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.rows", "11")
        .containsEntry("millrace.generation", "3");
  }

  @Test
  void whatThePublisherCopiesDuringASwapIsCounted() throws Exception {
    events(generation(plan, hour(0)), "part-new", 0, 7);
    catalog.afterPlace(
        () -> {
          events(own(hour(0)), "part-later", 10, 12);
          publish();
        });
    assertThat(swap(plan).get(0)).isEqualTo(swapped(0, Outcome.SWAPPED, 10, 11, 0));
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.rows", "11")
        .containsEntry("millrace.generation", "3");
  }

  @Test
  void theLiveJobsPublisherFollowsASwap() throws Exception {
    events(generation(plan, hour(0)), "part-new", 0, 9);
    swap(plan);
    events(own(hour(0)), "part-later", 10, 12);
    publish();
    assertThat(generation(plan, hour(0)).resolve("part-later"))
        .hasSameBinaryContentAs(own(hour(0)).resolve("part-later"));
    assertThat(generation(plan, hour(0)).resolve("part-live")).doesNotExist();
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.rows", "13")
        .containsEntry("millrace.files", "2")
        .containsEntry("millrace.generation", "3");
    assertThat(registered(hour(0)).isAt(generation(plan, hour(0)).toString())).isTrue();

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

  @Test
  void theDaysThatTheHoursTouchAreReplacedWhenTheyAreOver() throws Exception {
    TableSchema days =
        new TableSchema("days", "aggregated/days", TABLE.columns(), "", Granularity.DAY);
    // 22:00 and 23:00 of January 31st; then on to 00:00 of February 1st.
    TimePartition day = TimePartition.day(hour(0).start());
    assertThat(plan.partitions(days)).containsExactly(day);
    assertThat(plan.notOver(days)).isEmpty();
    BackfillPlan longer =
        new BackfillPlan(
            "r",
            "2026-03-01T00:00:00Z",
            new HourRange(hour(1).start(), hour(2).end()),
            null,
            0,
            0,
            hour(3).start(),
            List.of(),
            plan.lastOffsets(),
            Stage.PLANNED);
    assertThat(longer.partitions(days)).containsExactly(day);
    assertThat(longer.notOver(days)).containsExactly(TimePartition.day(day.end()));
    assertThat(longer.partitions(TABLE)).containsExactly(hour(1), hour(2));
    BackfillPlan wider =
        longer.publishing(new HourRange(hour(0).start(), hour(2).end())).at(Stage.WRITTEN);
    assertThat(wider.partitions(TABLE)).containsExactly(hour(0), hour(1), hour(2));
    Path lake = root.resolve("wider");
    wider.write(flink(lake));
    assertThat(BackfillPlan.read(BackfillPlan.file(flink(lake), longer.hours()))).contains(wider);
  }

  @Test
  void aPlanNamesTheRawFilesOfItsHoursAndHowFarTheyGo() throws Exception {
    assertThat(plan.rawFiles()).singleElement().asString().endsWith("/part-raw-0");
    assertThat(plan.lastOffsets()).isEqualTo(Map.of("session-0", 9L));
    BackfillPlan none =
        BackfillPlan.of(
            flink(root),
            RawEventTable.SCHEMA,
            hour(0).start(),
            hour(2).start(),
            WINDOW,
            "r",
            "2026-03-01T00:00:00Z");
    assertThat(none.rawFiles()).isEmpty();
  }

  @Test
  void aFileOfALaterHourIsReadWhenItHasOffsetsAmongThoseOfThePlan() throws Exception {
    raw(10, "part-raw-of-before", 5, 11);
    raw(11, "part-raw-reached", 11, 12);
    raw(11, "part-raw-beyond", 13, 20);
    BackfillPlan closed = plan("run-2", "2026-03-02T00:00:00Z");
    assertThat(closed.rawFiles())
        .extracting(f -> f.substring(f.lastIndexOf('/') + 1))
        .containsExactly("part-raw-0", "part-raw-of-before", "part-raw-reached");
    assertThat(closed.lastOffsets()).isEqualTo(Map.of("session-0", 12L));
    assertThat(closed.overlooked(flink(root), RawEventTable.SCHEMA, hour(-40).start())).isEmpty();

    raw(3, "part-raw-slow", 8, 8);
    assertThat(closed.overlooked(flink(root), RawEventTable.SCHEMA, hour(-40).start()))
        .singleElement()
        .asString()
        .endsWith("/part-raw-slow");
  }

  @Test
  void aCommitDuringTheListingIsReadAsAWhole() throws Exception {
    Listing listing =
        RawFiles.inFolders(flink(root.resolve(RawEventTable.SCHEMA.path())), hour(-40).start());
    raw(3, "part-raw-h2", 15, 20);
    Listing overtaken =
        until -> {
          List<org.apache.flink.core.fs.Path> listed = listing.files(until);
          // To an hour that was listed already.
          raw("part-raw-h1", 10, 14);
          return listed;
        };
    RawFiles found = RawFiles.of(overtaken, hour(10).start());
    assertThat(found.files())
        .extracting(org.apache.flink.core.fs.Path::getName)
        .containsExactlyInAnyOrder("part-raw-0", "part-raw-h1", "part-raw-h2");
    assertThat(found.coverage().lastOffsets()).isEqualTo(Map.of("session-0", 20L));
  }

  @Test
  void filesThatAreCommittedFasterThanListedAreToldInALine() {
    int[] files = {1};
    Listing endless =
        until -> {
          List<org.apache.flink.core.fs.Path> listed = new ArrayList<>();
          for (int i = 0; i < files[0]; i++) {
            listed.add(flink(raw(2, "part-raw-" + i, 0, 9)));
          }
          files[0]++;
          return listed;
        };
    assertThatThrownBy(() -> RawFiles.of(endless, hour(10).start()))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("raw files were committed during each of 10 listings")
        .hasMessageEndingWith("/part-raw-10 as the last; run the same command again");
  }

  @Test
  void twoWritersOfOneFileDoNotMeet() throws Exception {
    org.apache.flink.core.fs.Path file = flink(root.resolve("whole"));
    InputStream slow =
        new FilterInputStream(new ByteArrayInputStream(new byte[] {'a', 'a'})) {
          private boolean met;

          @Override
          public int read(byte[] bytes, int from, int length) throws IOException {
            if (!met) {
              met = true;
              WholeFile.write(file, new ByteArrayInputStream(new byte[] {'b'}));
              assertThat(root.resolve("whole")).hasContent("b");
            }
            return super.read(bytes, from, length);
          }
        };
    WholeFile.write(file, slow);
    assertThat(root.resolve("whole")).hasContent("aa");
    assertThat(root.toFile().list()).containsExactlyInAnyOrder("whole", "raw", "processed");
  }
}
