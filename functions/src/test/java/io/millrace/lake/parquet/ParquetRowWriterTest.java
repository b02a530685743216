package io.millrace.lake.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.AppEvent;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.apache.flink.util.InstantiationUtil;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Row groups, pages, encodings, memory and footers of the files. */
class ParquetRowWriterTest {
  private static final long T = 1_767_225_600_000L;
  private static final int HOURS = 300;

  @TempDir Path dir;

  /** Events whose columns repeat a lot, a little and not at all, with nulls in between. */
  private static List<AppEvent> events(int count) {
    Random random = new Random(11);
    List<AppEvent> events = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Map<String, String> properties = new LinkedHashMap<>();
      for (int p = random.nextInt(4); p > 0; p--) {
        properties.put("p" + p, random.nextInt(5) == 0 ? null : "v" + random.nextInt(1 << 20));
      }
      boolean known = random.nextBoolean();
      Event event =
          new Event(
              "e" + random.nextLong(),
              "u" + random.nextInt(1 + count / 3),
              random.nextInt(3) == 0 ? null : "s" + random.nextLong(),
              "type" + random.nextInt(6),
              T + i,
              known ? T + i + random.nextInt(100) : Origin.NO_TIME,
              known ? new Device("d" + random.nextInt(10), "é" + i % 7, null) : Device.UNKNOWN,
              new Geo("c" + random.nextInt(20), null, i < count / 2 ? null : "city" + i),
              properties,
              Dimensions.NONE,
              new Origin("topic" + i % 2, i % 5, i, T + i, T));
      events.add(new AppEvent(event, random.nextInt(9) == 0, true));
    }
    return events;
  }

  private static ParquetOptions small() {
    return new ParquetOptions(3, 256 << 10, 8 << 10, 500, 16 << 10, 64L << 20);
  }

  @Test
  void manyPagesAndRowGroupsReadBackAsWritten() throws Exception {
    List<AppEvent> events = events(30_000);
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), events, small());
    List<String> expected = new ArrayList<>();
    for (AppEvent row : events) {
      Event e = row.event();
      String time = e.receivedAt() == Origin.NO_TIME ? "null" : String.valueOf(e.receivedAt());
      List<String> properties = new ArrayList<>();
      e.properties().forEach((k, v) -> properties.add(k + "=" + (v == null ? "NULL" : v)));
      expected.add(
          String.join(
              "|",
              e.eventId(),
              e.userId(),
              String.valueOf(e.sessionId()),
              e.eventType(),
              String.valueOf(e.timestamp()),
              time,
              String.valueOf(e.device().deviceType()),
              String.valueOf(e.device().osVersion()),
              String.valueOf(e.geo().city()),
              "{" + String.join(", ", properties) + "}",
              String.valueOf(row.late()),
              String.valueOf(e.origin().offset())));
    }
    assertThat(
            ParquetFiles.query(
                file,
                "select event_id, user_id, session_id, event_type, epoch_ms(timestamp),"
                    + " epoch_ms(received_at), device_type, os_version, city, properties::varchar,"
                    + " late, kafka_offset from %s order by kafka_offset"))
        .isEqualTo(expected);
    assertThat(footer(file).size()).isGreaterThan(3);
  }

  @Test
  void parquetsOwnReaderAgrees() throws Exception {
    List<AppEvent> events = events(5_000);
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), events, small());
    List<Group> rows = ParquetFiles.groups(file);
    assertThat(rows).hasSize(events.size());
    for (int i = 0; i < rows.size(); i++) {
      Event e = events.get(i).event();
      Group row = rows.get(i);
      assertThat(row.getString("event_id", 0)).isEqualTo(e.eventId());
      assertThat(row.getString("user_id", 0)).isEqualTo(e.userId());
      assertThat(row.getLong("timestamp", 0)).isEqualTo(e.timestamp());
      assertThat(row.getBoolean("late", 0)).isEqualTo(events.get(i).late());
      assertThat(row.getFieldRepetitionCount("session_id"))
          .isEqualTo(e.sessionId() == null ? 0 : 1);
      Group properties = row.getGroup("properties", 0);
      assertThat(properties.getFieldRepetitionCount("key_value")).isEqualTo(e.properties().size());
      int at = 0;
      for (Map.Entry<String, String> entry : e.properties().entrySet()) {
        Group pair = properties.getGroup("key_value", at++);
        assertThat(pair.getString("key", 0)).isEqualTo(entry.getKey());
        assertThat(pair.getFieldRepetitionCount("value"))
            .isEqualTo(entry.getValue() == null ? 0 : 1);
      }
    }
  }

  @Test
  void statisticsBoundTheValues() throws Exception {
    List<AppEvent> events = events(5_000);
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), events, small());
    long least = Long.MAX_VALUE;
    long nulls = 0;
    for (BlockMetaData block : footer(file)) {
      for (ColumnChunkMetaData chunk : block.getColumns()) {
        if (chunk.getPath().toDotString().equals("timestamp")) {
          least = Math.min(least, (Long) chunk.getStatistics().genericGetMin());
        }
        if (chunk.getPath().toDotString().equals("session_id")) {
          nulls += chunk.getStatistics().getNumNulls();
        }
      }
    }
    assertThat(least).isEqualTo(T);
    assertThat(nulls).isEqualTo(events.stream().filter(e -> e.event().sessionId() == null).count());
    assertThat(
            ParquetFiles.query(file, "select count(*) from %s where event_type = 'type3' and late"))
        .containsExactly(
            String.valueOf(
                events.stream()
                    .filter(e -> e.late() && e.event().eventType().equals("type3"))
                    .count()));
  }

  @Test
  void uniqueColumnsHaveNoDictionaryAndFrequentValuesHave() throws Exception {
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), events(5_000));
    Map<String, Boolean> dictionary = new LinkedHashMap<>();
    for (ColumnChunkMetaData chunk : footer(file).get(0).getColumns()) {
      dictionary.put(chunk.getPath().toDotString(), chunk.hasDictionaryPage());
    }
    assertThat(dictionary)
        .containsEntry("event_id", false)
        .containsEntry("session_id", false)
        .containsEntry("properties.key_value.value", false)
        .containsEntry("event_type", true)
        .containsEntry("country", true)
        .containsEntry("properties.key_value.key", true);
  }

  @Test
  void theFooterCarriesTheLineage() throws Exception {
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), events(1_000));
    org.apache.flink.core.fs.Path path = new org.apache.flink.core.fs.Path(file.toUri());
    assertThat(ParquetFooter.rows(path)).isEqualTo(1_000);
    Map<String, String> metadata = ParquetFooter.metadata(path);
    assertThat(metadata)
        .containsEntry("millrace.job", "engagement")
        .containsEntry("millrace.version", "0.1.0")
        .containsEntry("millrace.run_id", "run-1")
        .containsEntry("millrace.schema_version", "1")
        .containsEntry("millrace.table", "processed/app_events")
        .containsEntry("millrace.rows", "1000")
        .containsEntry(
            "millrace.source_offsets",
            "{\"topic0-0\":[0,990],\"topic0-1\":[6,996],\"topic0-2\":[2,992],"
                + "\"topic0-3\":[8,998],\"topic0-4\":[4,994],\"topic1-0\":[5,995],"
                + "\"topic1-1\":[1,991],\"topic1-2\":[7,997],\"topic1-3\":[3,993],"
                + "\"topic1-4\":[9,999]}");
    assertThat(Instant.parse(metadata.get("millrace.written_at"))).isBefore(Instant.now());
  }

  @Test
  void aFileWithoutRowsIsStillAParquetFile() throws Exception {
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), List.of());
    assertThat(ParquetFooter.read(new org.apache.flink.core.fs.Path(file.toUri())).rows()).isZero();
    assertThat(ParquetFiles.query(file, "select count(*) from %s")).containsExactly("0");
  }

  @Test
  void openFilesStayWithinTheirBudget() throws Exception {
    long budget = 16L << 20;
    ParquetRowWriter.Factory<AppEvent> factory = factory(small().withMemoryBytes(budget));
    List<AppEvent> events = events(60_000);
    List<ParquetRowWriter<AppEvent>> writers = new ArrayList<>();
    List<LocalDataOutputStream> streams = new ArrayList<>();
    for (int h = 0; h < HOURS; h++) {
      streams.add(new LocalDataOutputStream(dir.resolve("h" + h).toFile()));
      writers.add(factory.create(streams.get(h)));
    }
    long idle = factory.held() / HOURS;
    long most = 0;
    for (int i = 0; i < events.size(); i++) {
      writers.get(i % HOURS).addElement(events.get(i));
      most = Math.max(most, factory.held());
    }
    long rows = 0;
    for (int h = 0; h < HOURS; h++) {
      writers.get(h).finish();
      streams.get(h).close();
      rows += ParquetFooter.rows(new org.apache.flink.core.fs.Path(dir.resolve("h" + h).toUri()));
    }
    assertThat(idle).isLessThan(32L << 10);
    assertThat(most).isGreaterThan(budget / 2).isLessThanOrEqualTo(budget);
    assertThat(rows).isEqualTo(events.size());
    assertThat(factory.held()).isZero();
    Path earlyFlushed = dir.resolve("h0");
    assertThat(footer(earlyFlushed).size()).isGreaterThan(1);
    assertThat(ParquetFiles.query(earlyFlushed, "select count(distinct event_id) from %s"))
        .containsExactly(String.valueOf(events.size() / HOURS));
  }

  @Test
  void theLargestFileFlushesFirst() throws Exception {
    ParquetRowWriter.Factory<AppEvent> factory =
        factory(ParquetOptions.DEFAULT.withMemoryBytes(2 << 20));
    try (LocalDataOutputStream a = new LocalDataOutputStream(dir.resolve("a").toFile());
        LocalDataOutputStream b = new LocalDataOutputStream(dir.resolve("b").toFile())) {
      ParquetRowWriter<AppEvent> small = factory.create(a);
      ParquetRowWriter<AppEvent> large = factory.create(b);
      List<AppEvent> events = events(20_000);
      small.addElement(events.get(0));
      for (AppEvent event : events) {
        large.addElement(event);
      }
      assertThat(small.bufferedRows()).isEqualTo(1);
      small.finish();
      large.finish();
    }
    assertThat(footer(dir.resolve("a"))).hasSize(1);
    assertThat(footer(dir.resolve("b")).size()).isGreaterThan(1);
  }

  @Test
  void theFactoryTravelsWithTheJob() throws Exception {
    ParquetRowWriter.Factory<AppEvent> factory = factory(ParquetOptions.DEFAULT);
    ParquetRowWriter.Factory<AppEvent> copy = InstantiationUtil.clone(factory);
    try (LocalDataOutputStream out = new LocalDataOutputStream(dir.resolve("f").toFile())) {
      ParquetRowWriter<AppEvent> writer = copy.create(out);
      writer.addElement(events(1).get(0));
      writer.finish();
      assertThat(copy.held()).isZero();
      out.write('x');
    }
    assertThat(Files.readAllBytes(dir.resolve("f"))).endsWith('P', 'A', 'R', '1', 'x');
  }

  @Test
  void aRowThatFailsHalfWaySpoilsTheFile() throws Exception {
    ParquetRowWriter.Factory<String> factory =
        new ParquetRowWriter.Factory<>(
            new FailingTable(), ParquetFiles.LINEAGE, ParquetOptions.DEFAULT);
    try (LocalDataOutputStream out = new LocalDataOutputStream(dir.resolve("f").toFile())) {
      ParquetRowWriter<String> writer = factory.create(out);
      assertThatThrownBy(() -> writer.addElement("row"))
          .hasMessage("column user_id is required and got null");
      assertThatThrownBy(writer::finish)
          .hasMessage("processed/app_events: a row failed half way; the file cannot be completed");
    }
  }

  private static ParquetRowWriter.Factory<AppEvent> factory(ParquetOptions options) {
    return new ParquetRowWriter.Factory<>(new AppEventTable(), ParquetFiles.LINEAGE, options);
  }

  private static List<BlockMetaData> footer(Path file) throws IOException {
    try (ParquetFileReader reader = ParquetFiles.reader(file)) {
      return reader.getFooter().getBlocks();
    }
  }

  private static final class FailingTable implements LakeTable<String> {
    private static final long serialVersionUID = 1L;

    @Override
    public TableSchema schema() {
      return AppEventTable.SCHEMA;
    }

    @Override
    public int schemaVersion() {
      return 1;
    }

    @Override
    public long partitionTime(String row) {
      return 0;
    }

    @Override
    public Origin origin(String row) {
      return null;
    }

    @Override
    public void write(String row, RowColumns columns) throws IOException {
      columns.string(row);
      columns.string(null);
    }
  }
}
