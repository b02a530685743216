package io.millrace.lake.publish;

import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.lake.catalog.Catalog.Placement;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.DeadLetterTable;
import io.millrace.lake.publish.BackfillPlan.Stage;
import io.millrace.lake.publish.Generations.Unused;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What backfills leave, and what of it goes. */
class GenerationsTest {
  private static final TableSchema TABLE = AppEventTable.SCHEMA;
  private static final List<TableSchema> TABLES = List.of(TABLE, DeadLetterTable.SCHEMA);
  private static final Instant NOW = Instant.parse("2026-03-10T00:00:00Z");
  private static final Instant WEEK_AGO = NOW.minus(Duration.ofDays(7));
  private static final HourRange HOURS = new HourRange(hour(0).start(), hour(1).end());

  @TempDir private Path root;
  private final MemoryCatalog catalog = new MemoryCatalog();

  @BeforeEach
  void registerTheTable() throws Exception {
    catalog.ensureTable(TABLE, root.resolve(TABLE.path()).toString());
    catalog.addPartitions(TABLE, List.of(hour(0), hour(1)));
  }

  private Path folder(String run, TimePartition partition) {
    return root.resolve("_generations/app_events").resolve(run).resolve(partition.path());
  }

  /** Files of so many days ago. */
  private Path write(String run, TimePartition partition, int daysAgo) throws IOException {
    Path folder = Files.createDirectories(folder(run, partition));
    for (String name : List.of("part-0", "_SUCCESS", GenerationFile.NAME)) {
      touch(Files.writeString(folder.resolve(name), "12345"), daysAgo);
    }
    return folder;
  }

  private static void touch(Path file, int daysAgo) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(NOW.minus(Duration.ofDays(daysAgo))));
  }

  private void place(TimePartition partition, Path folder) throws Exception {
    catalog.place(TABLE, Map.of(partition, new Placement(folder.toString(), Map.of())));
  }

  private void plan(String run, int daysAgo, Stage stage) throws IOException {
    new BackfillPlan(
            run,
            NOW.minus(Duration.ofDays(daysAgo)).toString(),
            HOURS,
            null,
            0,
            0,
            0,
            List.of(),
            new TreeMap<>(),
            stage)
        .write(flink(root));
  }

  private Generations generations() {
    return new Generations(flink(root), catalog);
  }

  private List<String> unused() throws Exception {
    return generations().unused(TABLES, WEEK_AGO).stream()
        .map(u -> u.run() + " " + u.partition().path())
        .sorted()
        .toList();
  }

  @Test
  void aLakeWithoutGenerationsHasNoneThatAreUnused() throws Exception {
    assertThat(unused()).isEmpty();
  }

  @Test
  void whatReadersAreSentToStaysHoweverOld() throws Exception {
    place(hour(0), write("run-1", hour(0), 100));
    write("run-1", hour(1), 100);
    assertThat(unused()).containsExactly("run-1 " + hour(1).path());
  }

  @Test
  void aFormerGenerationGoesAWhileAfterReadersWereSentElsewhere() throws Exception {
    write("run-1", hour(0), 100);
    Path present = write("run-2", hour(0), 6);
    place(hour(0), present);
    assertThat(unused()).as("swapped six days ago").isEmpty();
    touch(present.resolve(GenerationFile.NAME), 8);
    assertThat(unused()).containsExactly("run-1 " + hour(0).path());
    // A late file since then changes nothing about it.
    touch(present.resolve("_SUCCESS"), 0);
    assertThat(unused()).containsExactly("run-1 " + hour(0).path());
  }

  @Test
  void whatWasWrittenLatelyStays() throws Exception {
    touch(write("run-1", hour(0), 100).resolve("part-0"), 6);
    assertThat(unused()).isEmpty();
  }

  @Test
  void whatIsStillToBeSwappedOrWrittenStays() throws Exception {
    write("run-1", hour(0), 100);
    plan("run-1", 100, Stage.WRITTEN);
    assertThat(unused()).isEmpty();
    plan("run-1", 6, Stage.PLANNED);
    assertThat(unused()).isEmpty();
    plan("run-1", 100, Stage.PLANNED);
    assertThat(unused()).containsExactly("run-1 " + hour(0).path());
    plan("run-1", 100, Stage.SWAPPED);
    assertThat(unused()).containsExactly("run-1 " + hour(0).path());
  }

  @Test
  void anotherDatabaseIsRefused() throws Exception {
    write("run-1", hour(0), 100);
    for (TimePartition partition : List.of(hour(0), hour(1))) {
      place(partition, Path.of("/another/lake").resolve(partition.path()));
    }
    assertThatThrownBy(this::unused)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the catalog has no partition in "
                + flink(root)
                + ": is it the lake's root, and the database that readers ask?");
  }

  /** What backfills have rejected is not published. */
  @Test
  void aTableWithoutPartitionsHasNoGenerationInUse() throws Exception {
    Path folder = root.resolve("_generations/dead_letters/run-1").resolve(hour(0).path());
    touch(Files.writeString(Files.createDirectories(folder).resolve("part-0"), "1"), 100);
    assertThat(unused()).containsExactly("run-1 " + hour(0).path());
  }

  @Test
  void aFolderGoesWithThoseThatBecomeEmpty() throws Exception {
    Path first = write("run-1", hour(0), 100);
    Path second = write("run-1", hour(1), 100);
    Path other = write("run-2", hour(1), 1);
    List<Unused> all = generations().unused(TABLES, WEEK_AGO);
    assertThat(all).hasSize(2).allMatch(u -> u.files() == 3 && u.bytes() == 15);
    assertThat(all).extracting(Unused::lastUsed).containsOnly(NOW.minus(Duration.ofDays(100)));
    assertThat(generations().remove(all.get(0))).isTrue();
    assertThat(List.of(Files.exists(first), Files.exists(second)))
        .containsExactlyInAnyOrder(true, false);
    assertThat(generations().remove(all.get(1))).isTrue();
    assertThat(root.resolve("_generations/app_events/run-1")).doesNotExist();
    assertThat(other.resolve("part-0")).exists();
  }

  /** Between the list and the removal somebody may have placed it by hand. */
  @Test
  void aFolderThatIsInUseAgainStays() throws Exception {
    Path folder = write("run-1", hour(0), 100);
    Unused unused = generations().unused(TABLES, WEEK_AGO).get(0);
    place(hour(0), folder);
    assertThat(generations().remove(unused)).isFalse();
    assertThat(folder.resolve("part-0")).exists();
  }
}
