package io.millrace.lake.publish;

import static io.millrace.lake.publish.BackfillLake.TABLE;
import static io.millrace.lake.publish.BackfillLake.WINDOW;
import static io.millrace.lake.publish.BackfillLake.events;
import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.publish.BackfillPlan.Stage;
import io.millrace.lake.publish.RawFiles.Listing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which raw files a backfill's plan names, and which partitions it replaces. */
class BackfillPlanTest {
  @TempDir private Path root;
  private BackfillLake lake;
  private BackfillPlan plan;

  @BeforeEach
  void writeRaw() throws Exception {
    lake = new BackfillLake(root);
    lake.raw("part-raw-0", 0, 9);
    plan = lake.plan("run-1", "2026-03-01T00:00:00Z");
  }

  @Test
  void whatIsGivenUpIsNoPlanAnyMore() throws Exception {
    events(lake.generation(plan, hour(0)), "part-new", 0, 9);
    plan.write(flink(root));
    assertThat(BackfillPlan.unfinished(flink(root))).containsExactly(plan);
    assertThat(plan.stands(flink(root))).isTrue();

    // Of the same hours another one was begun since: that one stays.
    BackfillPlan other = lake.plan("run-2", "2026-03-02T00:00:00Z");
    events(lake.generation(other, hour(0)), "part-new", 0, 9);
    other.write(flink(root));
    assertThat(plan.stands(flink(root))).isFalse();
    plan.giveUp(flink(root));
    assertThat(lake.generation(plan, hour(0))).doesNotExist();
    assertThat(BackfillPlan.unfinished(flink(root))).containsExactly(other);

    // Readers may have been sent to some of it already.
    other.at(Stage.WRITTEN).write(flink(root));
    other.at(Stage.WRITTEN).giveUp(flink(root));
    assertThat(lake.generation(other, hour(0)).resolve("part-new")).exists();
    assertThat(BackfillPlan.unfinished(flink(root))).isEmpty();

    other.at(Stage.SWAPPED).write(flink(root));
    assertThat(BackfillPlan.unfinished(flink(root))).isEmpty();
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
    lake.raw(10, "part-raw-of-before", 5, 11);
    lake.raw(11, "part-raw-reached", 11, 12);
    lake.raw(11, "part-raw-beyond", 13, 20);
    BackfillPlan closed = lake.plan("run-2", "2026-03-02T00:00:00Z");
    assertThat(closed.rawFiles())
        .extracting(f -> f.substring(f.lastIndexOf('/') + 1))
        .containsExactly("part-raw-0", "part-raw-of-before", "part-raw-reached");
    assertThat(closed.lastOffsets()).isEqualTo(Map.of("session-0", 12L));
    assertThat(closed.overlooked(flink(root), RawEventTable.SCHEMA, hour(-40).start())).isEmpty();

    lake.raw(3, "part-raw-slow", 8, 8);
    assertThat(closed.overlooked(flink(root), RawEventTable.SCHEMA, hour(-40).start()))
        .singleElement()
        .asString()
        .endsWith("/part-raw-slow");
  }

  @Test
  void aCommitDuringTheListingIsReadAsAWhole() throws Exception {
    Listing listing =
        RawFiles.inFolders(flink(root.resolve(RawEventTable.SCHEMA.path())), hour(-40).start());
    lake.raw(3, "part-raw-h2", 15, 20);
    Listing overtaken =
        until -> {
          List<org.apache.flink.core.fs.Path> listed = listing.files(until);
          // To an hour that was listed already.
          lake.raw("part-raw-h1", 10, 14);
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
            listed.add(flink(lake.raw(2, "part-raw-" + i, 0, 9)));
          }
          files[0]++;
          return listed;
        };
    assertThatThrownBy(() -> RawFiles.of(endless, hour(10).start()))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("raw files were committed during each of 10 listings")
        .hasMessageEndingWith("/part-raw-10 as the last; run the same command again");
  }
}
