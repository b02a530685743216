package io.millrace.lake.publish;

import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.AppEvent;
import io.millrace.event.Records;
import io.millrace.lake.catalog.Catalog.Placement;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.parquet.PersonRows;
import io.millrace.lake.publish.Erasure.Found;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Erasures of a table with a swapped partition, and of what was interrupted. */
class ErasureTest {
  private static final TableSchema TABLE = AppEventTable.SCHEMA;

  @TempDir private Path root;
  @TempDir private Path work;
  private final MemoryCatalog catalog = new MemoryCatalog();
  private Path own;
  private Path other;
  private Path generation;

  /** Hour 0 was swapped, hour 1 is without ann. */
  @BeforeEach
  void writeALake() throws Exception {
    own = folder(TABLE.path(), hour(0));
    other = folder(TABLE.path(), hour(1));
    generation = folder("_generations/app_events/backfill-1", hour(0));
    write(own.resolve("part-0"), "ann", "bob");
    write(own.resolve("part-1"), "bob");
    write(other.resolve("part-2"), "bob", "cleo");
    write(generation.resolve("part-3"), "ann", "ann", "bob");
    for (Path folder : List.of(own, other, generation)) {
      complete(folder);
    }
    catalog.ensureTable(TABLE, root.resolve(TABLE.path()).toString());
    catalog.addPartitions(TABLE, List.of(hour(0), hour(1)));
    catalog.setProperties(TABLE, Map.of(hour(1), success(other).properties()));
    catalog.place(
        TABLE,
        Map.of(hour(0), new Placement(generation.toString(), success(generation).properties())));
  }

  private Path folder(String base, TimePartition partition) throws IOException {
    return Files.createDirectories(root.resolve(base).resolve(partition.path()));
  }

  private static void write(Path file, String... users) throws IOException {
    write(file, ParquetOptions.DEFAULT, List.of(users));
  }

  private static void write(Path file, ParquetOptions options, List<String> users)
      throws IOException {
    ParquetRowWriter.Factory<AppEvent> factory =
        new ParquetRowWriter.Factory<>(
            new AppEventTable(), new Lineage("job", "0.1.0", "run"), options);
    try (LocalDataOutputStream out = new LocalDataOutputStream(file.toFile())) {
      ParquetRowWriter<AppEvent> writer = factory.create(out);
      for (String user : users) {
        writer.addElement(new AppEvent(Records.event("e", user, Records.T), false, true));
      }
      writer.finish();
    }
  }

  private static void complete(Path folder) throws IOException {
    new Completion(flink(folder), ParquetFooter::rows)
        .complete(flink(folder), Long.MAX_VALUE, () -> false);
  }

  private static SuccessFile success(Path folder) throws IOException {
    return SuccessFile.read(flink(folder)).orElseThrow();
  }

  private Erasure erasure() {
    return new Erasure(flink(root), new PersonRows(Set.of("ann")), work);
  }

  private static Found events(List<Found> found) {
    // What others are computed from goes first: what is computed meanwhile cannot have it.
    assertThat(found)
        .extracting(f -> f.table().name())
        .containsExactly("raw_app_events", "dead_letters", "app_events", "sessions");
    return found.get(2);
  }

  @Test
  void everyGenerationIsErasedAndTheCountsFollow() throws Exception {
    assertThat(events(erasure().survey())).isEqualTo(new Found(TABLE, 4, 2, 2, 3));
    byte[] bobs = Files.readAllBytes(own.resolve("part-1"));

    assertThat(events(erasure().run(catalog))).isEqualTo(new Found(TABLE, 4, 2, 2, 3));

    assertThat(success(own).fileRows()).isEqualTo(Map.of("part-0", 1L, "part-1", 1L));
    assertThat(success(own).generation()).isEqualTo(2);
    assertThat(success(generation).fileRows()).isEqualTo(Map.of("part-3", 1L));
    assertThat(success(other).generation()).isEqualTo(1);
    assertThat(ParquetFooter.rows(flink(generation.resolve("part-3")))).isEqualTo(1);
    assertThat(Files.readAllBytes(own.resolve("part-1"))).isEqualTo(bobs);
    assertThat(catalog.properties(hour(0)))
        .containsEntry("millrace.rows", "1")
        .containsEntry("millrace.generation", "2");
    assertThat(catalog.properties(hour(1)))
        .containsEntry("millrace.rows", "2")
        .containsEntry("millrace.generation", "1");
    assertThat(events(erasure().run(catalog))).isEqualTo(new Found(TABLE, 4, 0, 0, 0));
    try (var left = Files.list(work)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void whatTheCatalogWasNotToldIsToldByTheNextRun() throws Exception {
    catalog.down(true);
    assertThatThrownBy(() -> erasure().run(catalog))
        .isInstanceOf(CatalogException.class)
        .hasMessage("the catalog is down");
    assertThat(ParquetFooter.rows(flink(own.resolve("part-0")))).isEqualTo(1);

    catalog.down(false);
    assertThat(events(erasure().run(catalog)).files()).isZero();
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.rows", "1");
  }

  /** Interrupted between the files and their count, or counted by a publisher that had not seen. */
  @Test
  void countsThatDoNotHoldAreMendedByTheNextRun() throws Exception {
    SuccessFile before = success(own);
    erasure().run(catalog);
    before.write(flink(own));

    Found found = events(erasure().run(catalog));
    assertThat(found).isEqualTo(new Found(TABLE, 4, 0, 1, 0));
    assertThat(success(own).fileRows()).isEqualTo(Map.of("part-0", 1L, "part-1", 1L));
    assertThat(success(own).generation()).isEqualTo(2);
  }

  /** Its pages hold more rows than an erasure gives them, so that there are more of them. */
  @Test
  void aYoungFileThatWouldGrowIsLeftAndAllOthersAreErased() throws Exception {
    List<String> users = new ArrayList<>(Collections.nCopies(50_000, "bob"));
    users.add(0, "ann");
    Path packed = other.resolve("part-packed");
    write(packed, ParquetOptions.DEFAULT.withZstdLevel(22).withPageRows(100_000), users);
    complete(other);
    byte[] before = Files.readAllBytes(packed);

    Erasure first = erasure();
    assertThat(events(first.run(catalog))).isEqualTo(new Found(TABLE, 5, 2, 2, 3));
    assertThat(first.left()).containsExactly(flink(packed));
    assertThat(Files.readAllBytes(packed)).isEqualTo(before);
    assertThat(success(other).fileRows()).containsEntry("part-packed", 50_001L);

    Files.setLastModifiedTime(
        packed, FileTime.from(Instant.now().minus(Erasure.SETTLED).minusSeconds(1)));
    Erasure second = erasure();
    assertThat(events(second.run(catalog))).isEqualTo(new Found(TABLE, 5, 1, 1, 1));
    assertThat(second.left()).isEmpty();
    assertThat(Files.size(packed)).isGreaterThan(before.length);
    assertThat(success(other).fileRows()).containsEntry("part-packed", 50_000L);
  }

  @Test
  void aPartitionThatIsNotCompleteStaysSo() throws Exception {
    Files.delete(own.resolve(SuccessFile.NAME));
    erasure().run(catalog);
    assertThat(SuccessFile.read(flink(own))).isEmpty();
    assertThat(ParquetFooter.rows(flink(own.resolve("part-0")))).isEqualTo(1);
  }

  @Test
  void aRecordTellsWhetherItIsAboutSomeone() throws Exception {
    ErasureRecord record = ErasureRecord.begin("e-1", "ann", "asked", "2026-01-01T00:00:00Z");
    record
        .with(List.of(new Found(TABLE, 4, 2, 2, 3)))
        .end("2026-01-01T00:00:01Z")
        .write(flink(root));
    String json = Files.readString(root.resolve("_erasures/e-1.json"));
    assertThat(json)
        .contains(
            "\"reason\" : \"asked\"", "\"rows\" : 3", "\"ended_at\" : \"2026-01-01T00:00:01Z\"")
        .contains(record.salt(), record.userHash())
        .doesNotContain("ann");
    assertThat(record.isAbout("ann")).isTrue();
    assertThat(record.isAbout("bob")).isFalse();
    assertThat(ErasureRecord.begin("e-2", "ann", "asked", "").userHash())
        .as("a salt of its own")
        .isNotEqualTo(record.userHash());
  }

  @Test
  void recordsThatHadNotEndedAreFound() throws Exception {
    assertThat(ErasureRecord.notEndedBy(Instant.EPOCH, flink(root))).isEmpty();
    ErasureRecord begun = ErasureRecord.begin("e-1", "ann", "asked", "2026-01-01T00:00:00Z");
    begun.write(flink(root));
    assertThat(ErasureRecord.notEndedBy(Instant.MAX, flink(root))).containsExactly(begun);
    ErasureRecord ended =
        begun.with(List.of(new Found(TABLE, 4, 2, 2, 3))).end("2026-01-01T00:00:09Z");
    ended.write(flink(root));
    assertThat(ErasureRecord.notEndedBy(Instant.parse("2026-01-01T00:00:08Z"), flink(root)))
        .containsExactly(ended);
    assertThat(ErasureRecord.notEndedBy(Instant.parse("2026-01-01T00:00:09Z"), flink(root)))
        .isEmpty();

    Path file = Files.writeString(root.resolve("_erasures/e-2.json"), "{}");
    assertThatThrownBy(() -> ErasureRecord.notEndedBy(Instant.MAX, flink(root)))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(flink(file) + " is not the record of an erasure: ");
  }
}
