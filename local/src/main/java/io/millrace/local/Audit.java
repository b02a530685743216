package io.millrace.local;

import io.millrace.datagen.Truth;
import io.millrace.datagen.Truth.Counts;
import io.millrace.datagen.Truth.TopicHour;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.RollupTable;
import io.millrace.lake.parquet.SessionTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.annotation.Nullable;

/**
 * Holds what is in the lake against what the simulator knows it sent: by value, table by table, and
 * hour by hour.
 */
public final class Audit {
  /** All their partitions are complete when the input has ended; of other tables none ever is. */
  private static final Set<TableSchema> COMPLETED =
      Set.of(
          new AppEventTable().schema(), SessionTable.SCHEMA, RollupTable.HOURLY, RollupTable.DAILY);

  private final List<Finding> findings = new ArrayList<>();

  /** What became of records, as the ledger counts them. */
  private record Entry(long received, long accepted, long rejected, long duplicates) {
    Entry plus(Entry other) {
      return new Entry(
          received + other.received,
          accepted + other.accepted,
          rejected + other.rejected,
          duplicates + other.duplicates);
    }

    @Override
    public String toString() {
      return received + " = " + accepted + " + " + rejected + " + " + duplicates;
    }
  }

  /** One comparison. */
  public record Finding(String what, String expected, String found) {
    public boolean holds() {
      return expected.equals(found);
    }
  }

  private Audit() {}

  /**
   * Compares everything.
   *
   * @param topicPrefix stands before the topics' names in the lake
   * @param raw whether the run wrote raw
   * @param catalog where partitions are registered; null for a lake without one
   */
  public static Audit of(
      Truth truth, LakeReader lake, String topicPrefix, boolean raw, @Nullable Catalog catalog) {
    return of(truth, lake, topicPrefix, raw, catalog, false);
  }

  /**
   * Compares everything.
   *
   * @param usersMoved whether users went to other partitions under way: then a copy of an event may
   *     be read before the event, and which of the two has to be accepted, and so in which hour of
   *     the ledger, is told by the row of the table and not by the truth
   */
  static Audit of(
      Truth truth,
      LakeReader lake,
      String topicPrefix,
      boolean raw,
      @Nullable Catalog catalog,
      boolean usersMoved) {
    Audit audit = ofEvents(truth, lake, topicPrefix, raw, usersMoved);
    audit.results(lake);
    if (catalog != null) {
      audit.partitions(truth, lake, catalog);
    }
    return audit;
  }

  /** Compares events, dead letters and the ledger, of a run without sessions and rollups. */
  public static Audit ofEvents(Truth truth, LakeReader lake, String topicPrefix, boolean raw) {
    return ofEvents(truth, lake, topicPrefix, raw, false);
  }

  private static Audit ofEvents(
      Truth truth, LakeReader lake, String topicPrefix, boolean raw, boolean usersMoved) {
    Audit audit = new Audit();
    audit.rows(truth, lake, raw);
    audit.ledger(truth, lake, topicPrefix, usersMoved);
    audit.reasons(truth, lake);
    return audit;
  }

  /** Every comparison, in order. */
  public List<Finding> findings() {
    return findings;
  }

  /** Those that do not hold; empty when nothing was lost and nothing doubled. */
  public List<Finding> failures() {
    return findings.stream().filter(f -> !f.holds()).toList();
  }

  private void check(String what, Object expected, Object found) {
    findings.add(new Finding(what, String.valueOf(expected), String.valueOf(found)));
  }

  /** Entries that are the same on both sides are left out of the finding, however many. */
  private <V> void checkEach(String what, Map<String, V> expected, Map<String, V> found) {
    Map<String, V> missing = new TreeMap<>(expected);
    missing.entrySet().removeAll(found.entrySet());
    Map<String, V> wrong = new TreeMap<>(found);
    wrong.entrySet().removeAll(expected.entrySet());
    check(what + " (" + expected.size() + ")", missing, wrong);
  }

  private void checkEach(String what, Set<String> expected, Set<String> found) {
    checkEach(
        what,
        expected.stream().collect(Collectors.toMap(e -> e, e -> "registered")),
        found.stream().collect(Collectors.toMap(e -> e, e -> "registered")));
  }

  private void rows(Truth truth, LakeReader lake, boolean raw) {
    Counts total = truth.total();
    check("rows of app_events", total.accepted(), lake.number("SELECT count(*) FROM app_events"));
    check(
        "distinct events in app_events",
        truth.uniqueEvents(),
        lake.number(
            "SELECT count(*) FROM (SELECT DISTINCT user_id, event_id, timestamp FROM app_events)"));
    check(
        "rows of dead_letters", total.rejected(), lake.number("SELECT count(*) FROM dead_letters"));
    check(
        "distinct records in dead_letters",
        total.rejected(),
        lake.number(
            "SELECT count(*) FROM (SELECT DISTINCT topic, kafka_partition, kafka_offset"
                + " FROM dead_letters)"));
    if (raw) {
      check(
          "rows of raw_app_events",
          total.received(),
          lake.number("SELECT count(*) FROM raw_app_events"));
      check(
          "distinct records in raw_app_events",
          total.received(),
          lake.number(
              "SELECT count(*) FROM (SELECT DISTINCT topic, kafka_partition, kafka_offset"
                  + " FROM raw_app_events)"));
    }
    Map<String, Long> found = new TreeMap<>();
    for (List<String> row :
        lake.query(
                "SELECT 'year=' || year || '/month=' || month || '/day=' || day || '/hour=' ||"
                    + " hour, count(*) FROM app_events GROUP BY 1")
            .rows()) {
      found.put(row.get(0), Long.parseLong(row.get(1)));
    }
    Map<String, Long> expected = new TreeMap<>();
    truth.rowsByEventHour().forEach((hour, n) -> expected.put(TimePartition.hour(hour).path(), n));
    checkEach("rows of each hour of app_events", expected, found);
    check(
        "rows of app_events outside the hour of their folder",
        0,
        lake.number(
            "SELECT count(*) FROM app_events WHERE strftime(timestamp, '%Y-%m-%d %H') <>"
                + " year || '-' || month || '-' || day || ' ' || hour"));
  }

  private void ledger(Truth truth, LakeReader lake, String topicPrefix, boolean usersMoved) {
    Map<String, Long> rows = usersMoved ? rowsByTopicAndHour(lake) : Map.of();
    Map<String, Entry> expected = new TreeMap<>();
    Map<String, Entry> expectedOfTopics = new TreeMap<>();
    for (Map.Entry<TopicHour, Counts> e : truth.byTopicAndHour().entrySet()) {
      Counts c = e.getValue();
      String topic = topicPrefix + e.getKey().topic();
      String hour = topic + " " + e.getKey().hour();
      long accepted = usersMoved ? rows.getOrDefault(hour, 0L) : c.accepted();
      expected.put(
          hour,
          new Entry(c.received(), accepted, c.rejected(), c.received() - c.rejected() - accepted));
      expectedOfTopics.merge(
          topic, new Entry(c.received(), c.accepted(), c.rejected(), c.duplicates()), Entry::plus);
    }
    Map<String, Entry> found = new TreeMap<>();
    Map<String, Entry> foundOfTopics = new TreeMap<>();
    for (List<String> r :
        lake.query(
                "SELECT topic, epoch_ms(hour_start), sum(received), sum(accepted), sum(rejected),"
                    + " sum(duplicates) FROM ledger GROUP BY ALL")
            .rows()) {
      Entry entry =
          new Entry(
              Long.parseLong(r.get(2)),
              Long.parseLong(r.get(3)),
              Long.parseLong(r.get(4)),
              Long.parseLong(r.get(5)));
      found.put(r.get(0) + " " + r.get(1), entry);
      foundOfTopics.merge(r.get(0), entry, Entry::plus);
    }
    checkEach("ledger of each topic", expectedOfTopics, foundOfTopics);
    checkEach("ledger of each topic and hour", expected, found);
    check(
        "late events of the ledger",
        lake.number("SELECT count(*) FROM app_events WHERE late"),
        lake.number("SELECT sum(late) FROM ledger"));
  }

  /** Accepted events by the topic and the hour of their records, as the ledger names them. */
  private static Map<String, Long> rowsByTopicAndHour(LakeReader lake) {
    Map<String, Long> rows = new TreeMap<>();
    for (List<String> r :
        lake.query(
                "SELECT topic, epoch_ms(date_trunc('hour', kafka_timestamp)), count(*)"
                    + " FROM app_events GROUP BY ALL")
            .rows()) {
      rows.put(r.get(0) + " " + r.get(1), Long.parseLong(r.get(2)));
    }
    return rows;
  }

  private void reasons(Truth truth, LakeReader lake) {
    Map<String, Long> expected = new TreeMap<>();
    truth.total().rejectedByReason().forEach((reason, n) -> expected.put(reason.code(), n));
    Map<String, Long> found = new TreeMap<>();
    for (List<String> row :
        lake.query(
                "SELECT code, count(*) FROM (SELECT DISTINCT topic, kafka_partition, kafka_offset,"
                    + " unnest(list_transform(reasons, r -> r.code)) AS code FROM dead_letters)"
                    + " GROUP BY code")
            .rows()) {
      found.put(row.get(0), Long.parseLong(row.get(1)));
    }
    checkEach("dead letters by reason", expected, found);
  }

  /** Sessions and totals hold each event that was not late once; what the job checked holds. */
  private void results(LakeReader lake) {
    long events = lake.number("SELECT count(*) FROM app_events WHERE NOT late");
    check("events of sessions", events, lake.number("SELECT sum(event_count) FROM sessions"));
    for (TableSchema rollup : List.of(RollupTable.HOURLY, RollupTable.DAILY)) {
      check(
          "events of the totals of " + rollup.name(),
          events,
          lake.number(
              "SELECT sum(total_events) FROM "
                  + rollup.name()
                  + " WHERE device_type = 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS'"
                  + " AND country = 'ALL_COUNTRIES'"));
    }
    check(
        "cross-checks that fail",
        0,
        lake.number("SELECT count(*) FROM cross_checks WHERE NOT holds"));
  }

  private void partitions(Truth truth, LakeReader lake, Catalog catalog) {
    try {
      for (TableSchema table : LakeReader.TABLES) {
        Map<String, Long> rows = new TreeMap<>();
        lake.query(
                "SELECT "
                    + table.granularity().columns().stream()
                        .map(column -> "'" + column + "=' || " + column)
                        .collect(Collectors.joining(" || '/' || "))
                    + ", count(*) FROM "
                    + table.name()
                    + " GROUP BY 1")
            .rows()
            .forEach(r -> rows.put(r.get(0), Long.parseLong(r.get(1))));
        TreeSet<String> registered = new TreeSet<>();
        Map<String, Long> complete = new TreeMap<>();
        for (RegisteredPartition p : catalog.partitions(table)) {
          registered.add(p.partition().path());
          if ("true".equals(p.properties().get("millrace.complete"))) {
            complete.put(p.partition().path(), Long.parseLong(p.properties().get("millrace.rows")));
          }
        }
        checkEach("partitions of " + table.name() + " in the catalog", rows.keySet(), registered);
        if (table.equals(new AppEventTable().schema())) {
          checkEach(
              "partitions of app_events in the catalog, by the truth",
              new TreeSet<>(
                  truth.rowsByEventHour().keySet().stream()
                      .map(h -> TimePartition.hour(h).path())
                      .toList()),
              registered);
        }
        if (COMPLETED.contains(table)) {
          checkEach("rows of each complete partition of " + table.name(), rows, complete);
        } else {
          checkEach("complete partitions of " + table.name(), Map.<String, Long>of(), complete);
        }
      }
    } catch (CatalogException e) {
      throw new IllegalStateException("the catalog cannot be read", e);
    }
  }
}
