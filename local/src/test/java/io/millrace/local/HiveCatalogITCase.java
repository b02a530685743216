package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.Placement;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.trino.hive.thrift.metastore.FieldSchema;
import io.trino.hive.thrift.metastore.Partition;
import io.trino.hive.thrift.metastore.Table;
import io.trino.hive.thrift.metastore.ThriftHiveMetastore;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Hive catalog against a real metastore. */
class HiveCatalogITCase {
  private static final long FIRST = Instant.parse("2026-01-31T07:00:00Z").toEpochMilli();
  private static final List<Column> COLUMNS =
      List.of(
          Column.required("event_id", LakeType.STRING, "unique with user and timestamp"),
          Column.required("timestamp", LakeType.TIMESTAMP, "when it happened, UTC"),
          Column.optional(
              "properties", LakeType.map(LakeType.STRING, LakeType.STRING), "everything else"));

  private static Metastore metastore;
  @TempDir private static Path folder;

  @BeforeAll
  static void start() {
    metastore =
        Metastore.start(folder.resolve("metastore"), URI.create("http://127.0.0.1:1"), "", "");
  }

  @AfterAll
  static void stop() {
    metastore.close();
  }

  private static String uri() {
    return metastore.uri().toString();
  }

  private static Catalog open(String database) {
    return CatalogSpec.hive(uri(), database).open();
  }

  private static TableSchema table(String name, List<Column> columns) {
    return new TableSchema(name, "processed/" + name, columns, "one row per event");
  }

  private static String location(String name) {
    return folder.resolve("lake").resolve(name).toUri().toString().replaceAll("/$", "");
  }

  private static List<TimePartition> hours(int n) {
    List<TimePartition> hours = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      hours.add(TimePartition.hour(FIRST + i * Duration.ofHours(1).toMillis()));
    }
    return hours;
  }

  /** What another client sees. */
  private static Table raw(String database, String name) throws Exception {
    try (TSocket socket = new TSocket(new TConfiguration(), URI.create(uri()).getHost(), port())) {
      socket.open();
      return new ThriftHiveMetastore.Client(new TBinaryProtocol(socket)).getTable(database, name);
    }
  }

  private static List<Partition> rawPartitions(String database, String name, String partition)
      throws Exception {
    try (TSocket socket = new TSocket(new TConfiguration(), URI.create(uri()).getHost(), port())) {
      socket.open();
      return new ThriftHiveMetastore.Client(new TBinaryProtocol(socket))
          .getPartitionsByNames(database, name, List.of(partition));
    }
  }

  private static int port() {
    return URI.create(uri()).getPort();
  }

  @Test
  void createsTheDatabaseAndAnExternalParquetTable() throws Exception {
    TableSchema events = table("events", COLUMNS);
    try (Catalog catalog = open("created")) {
      catalog.ensureTable(events, location("events"));
      catalog.ensureTable(events, location("events") + "/");
    }

    Table seen = raw("created", "events");
    assertThat(seen.getTableType()).isEqualTo("EXTERNAL_TABLE");
    assertThat(seen.getParameters())
        .containsEntry("EXTERNAL", "TRUE")
        .containsEntry("comment", "one row per event");
    assertThat(seen.getSd().getSerdeInfo().getSerializationLib()).endsWith("ParquetHiveSerDe");
    assertThat(seen.getSd().getCols())
        .containsExactly(
            new FieldSchema("event_id", "string", "unique with user and timestamp"),
            new FieldSchema("timestamp", "timestamp", "when it happened, UTC"),
            new FieldSchema("properties", "map<string,string>", "everything else"));
    assertThat(seen.getPartitionKeys())
        .extracting(FieldSchema::getName)
        .containsExactly("year", "month", "day", "hour");
    assertThat(seen.getPartitionKeys()).extracting(FieldSchema::getType).containsOnly("string");
  }

  @Test
  void addsColumnsToTheTableAndToItsPartitions() throws Exception {
    List<Column> more = new ArrayList<>(COLUMNS);
    more.add(Column.optional("late", LakeType.BOOLEAN, "came after the allowed lateness"));
    TimePartition hour = hours(1).get(0);
    try (Catalog catalog = open("evolving")) {
      catalog.ensureTable(table("events", COLUMNS), location("evolving"));
      catalog.addPartitions(table("events", COLUMNS), List.of(hour));
      catalog.ensureTable(table("events", more), location("evolving"));
      // A run of an older release drops nothing.
      catalog.ensureTable(table("events", COLUMNS), location("evolving"));
    }

    assertThat(raw("evolving", "events").getSd().getCols())
        .extracting(FieldSchema::getName)
        .containsExactly("event_id", "timestamp", "properties", "late");
    assertThat(rawPartitions("evolving", "events", hour.path()))
        .singleElement()
        .satisfies(
            p ->
                assertThat(p.getSd().getCols())
                    .extracting(FieldSchema::getName)
                    .endsWith("properties", "late"));
  }

  @Test
  void refusesAColumnOfAnotherType() throws Exception {
    try (Catalog catalog = open("refusing")) {
      catalog.ensureTable(table("events", COLUMNS), location("refusing"));
      List<Column> retyped = new ArrayList<>(COLUMNS);
      retyped.set(0, Column.required("event_id", LakeType.LONG, "a number now"));

      assertThatExceptionOfType(CatalogException.class)
          .isThrownBy(() -> catalog.ensureTable(table("events", retyped), location("refusing")))
          .withMessageContaining(
              "column event_id of table refusing.events is string in the catalog and bigint in the"
                  + " code")
          .matches(e -> !e.retryable(), "not retryable");
      assertThatExceptionOfType(CatalogException.class)
          .isThrownBy(() -> catalog.ensureTable(table("events", COLUMNS), location("elsewhere")))
          .withMessageContaining("but this run writes to")
          .matches(e -> !e.retryable(), "not retryable");
    }
  }

  @Test
  void addsPartitionsOnceAndKeepsTheirProperties() throws Exception {
    TableSchema events = table("events", COLUMNS);
    List<TimePartition> hours = hours(250);
    try (Catalog catalog = open("partitioned")) {
      catalog.ensureTable(events, location("partitioned"));
      catalog.addPartitions(events, hours.subList(0, 120));
      Map<TimePartition, Map<String, String>> properties = new TreeMap<>(byStart());
      hours
          .subList(0, 120)
          .forEach(h -> properties.put(h, Map.of("millrace.rows", "7", "millrace.files", "1")));
      catalog.setProperties(events, properties);
      catalog.addPartitions(events, hours);
      catalog.setProperties(events, Map.of(hours.get(0), Map.of("millrace.rows", "8")));

      assertThat(catalog.partitions(events))
          .extracting(RegisteredPartition::partition)
          .containsExactlyElementsOf(hours);
      RegisteredPartition first = catalog.partition(events, hours.get(0)).orElseThrow();
      assertThat(first.location())
          .isEqualTo("file:" + folder.resolve("lake/partitioned") + "/" + hours.get(0).path());
      assertThat(first.properties())
          .containsEntry("millrace.rows", "8")
          .containsEntry("millrace.files", "1");
      assertThat(catalog.partition(events, hours.get(119)).orElseThrow().properties())
          .containsEntry("millrace.rows", "7");
      assertThat(catalog.partition(events, hours.get(120)).orElseThrow().properties())
          .doesNotContainKey("millrace.rows");
    }
  }

  @Test
  void placesAPartitionElsewhereWithItsProperties() throws Exception {
    TableSchema events = table("events", COLUMNS);
    List<TimePartition> hours = hours(3);
    String elsewhere = location("_generations/events/run-1/") + "/" + hours.get(1).path();
    try (Catalog catalog = open("placed")) {
      catalog.ensureTable(events, location("placed"));
      catalog.addPartitions(events, hours.subList(0, 2));
      catalog.setProperties(events, Map.of(hours.get(1), Map.of("a", "1", "b", "1")));
      Map<TimePartition, Placement> placement =
          Map.of(hours.get(1), new Placement(elsewhere, Map.of("b", "2")));
      catalog.place(events, placement);
      catalog.place(events, placement);
      // A registration that comes again leaves it where it is.
      catalog.addPartitions(events, hours.subList(0, 2));

      assertThat(catalog.partitions(events, hours))
          .extracting(p -> p.partition().path() + " " + p.isAt(elsewhere))
          .containsExactly(hours.get(0).path() + " false", hours.get(1).path() + " true");
      RegisteredPartition placed = catalog.partition(events, hours.get(1)).orElseThrow();
      assertThat(placed.properties()).containsEntry("a", "1").containsEntry("b", "2");
      assertThat(placed.isAt(elsewhere.replace("file:/", "file:///") + "/")).isTrue();
      assertThatExceptionOfType(CatalogException.class)
          .isThrownBy(
              () -> catalog.place(events, Map.of(hours.get(2), new Placement(elsewhere, Map.of()))))
          .withMessageContaining(hours.get(2).path())
          .matches(CatalogException::retryable, "retryable");
    }
  }

  @Test
  void aTableByDayHasNoHour() throws Exception {
    TableSchema days =
        new TableSchema("days", "aggregated/days", COLUMNS, "one row per day", Granularity.DAY);
    TimePartition first = TimePartition.day(FIRST);
    TimePartition second = TimePartition.day(first.end());
    try (Catalog catalog = open("daily")) {
      catalog.ensureTable(days, location("days"));
      catalog.addPartitions(days, List.of(second, first));
      catalog.addPartitions(days, List.of(first));
      catalog.setProperties(days, Map.of(second, Map.of("millrace.rows", "7")));

      assertThat(catalog.partitions(days))
          .extracting(RegisteredPartition::partition)
          .containsExactly(first, second);
      assertThat(catalog.partition(days, second).orElseThrow())
          .satisfies(p -> assertThat(p.location()).endsWith("/lake/days/year=2026/month=02/day=01"))
          .satisfies(p -> assertThat(p.properties()).containsEntry("millrace.rows", "7"));
      assertThatExceptionOfType(CatalogException.class)
          .isThrownBy(() -> catalog.ensureTable(table("days", COLUMNS), location("days")))
          .withMessage(
              "table daily.days is partitioned by [year, month, day], expected [year, month, day,"
                  + " hour]")
          .matches(e -> !e.retryable(), "not retryable");
    }
    assertThat(raw("daily", "days").getPartitionKeys())
        .extracting(FieldSchema::getName)
        .containsExactly("year", "month", "day");
  }

  private static Comparator<TimePartition> byStart() {
    return Comparator.comparingLong(TimePartition::start);
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    TableSchema events = table("events", COLUMNS);
    TimePartition hour = hours(1).get(0);
    try (Catalog catalog = open("missing")) {
      assertThat(catalog.partitions(events)).isEmpty();
      assertThat(catalog.partition(events, hour)).isEmpty();
      assertThatExceptionOfType(CatalogException.class)
          .isThrownBy(() -> catalog.addPartitions(events, List.of(hour)))
          .withMessage("table missing.events is not in the catalog")
          .matches(CatalogException::retryable, "retryable");
      catalog.ensureTable(events, location("missing"));
      assertThatExceptionOfType(CatalogException.class)
          .isThrownBy(() -> catalog.setProperties(events, Map.of(hour, Map.of("a", "b"))))
          .withMessageContaining(hour.path())
          .matches(CatalogException::retryable, "retryable");
    }
  }

  @Test
  void failsInTimeWhenNothingAnswers() {
    TableSchema events = table("events", COLUMNS);
    CatalogSpec nowhere =
        CatalogSpec.hive("thrift://127.0.0.1:1", "lake")
            .withTimeouts(Duration.ofSeconds(2), Duration.ofSeconds(2));
    try (Catalog catalog = nowhere.open()) {
      assertThatExceptionOfType(CatalogException.class)
          .isThrownBy(() -> catalog.ensureTable(events, location("nowhere")))
          .withMessageContaining("thrift://127.0.0.1:1")
          .matches(CatalogException::retryable, "retryable");
    }
    // The second metastore of the list answers.
    try (Catalog catalog = CatalogSpec.hive("thrift://127.0.0.1:1," + uri(), "failover").open()) {
      assertThatCode(() -> catalog.ensureTable(events, location("failover")))
          .doesNotThrowAnyException();
    }
  }
}
