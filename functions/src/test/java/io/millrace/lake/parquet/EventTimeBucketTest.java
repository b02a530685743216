package io.millrace.lake.parquet;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

/** The folder of a row. */
class EventTimeBucketTest {
  private static final long HOUR = 3_600_000L;
  private static final long T = 1_767_225_600_000L; // 2026-01-01T00:00:00Z

  private static LedgerEntry at(long time) {
    return new LedgerEntry("r", "streaming", 1, "t", time, 0, 0, 0, 0, 0);
  }

  @Test
  void isTheHourInUtc() throws Exception {
    EventTimeBucket<LedgerEntry> bucket =
        InstantiationUtil.clone(new EventTimeBucket<>(new LedgerTable()));
    assertThat(bucket.getBucketId(at(0), null)).isEqualTo("year=1970/month=01/day=01/hour=00");
    assertThat(bucket.getBucketId(at(T - 1), null)).isEqualTo("year=2025/month=12/day=31/hour=23");
    assertThat(bucket.getBucketId(at(T), null)).isEqualTo("year=2026/month=01/day=01/hour=00");
    assertThat(bucket.getBucketId(at(T + HOUR - 1), null))
        .isEqualTo("year=2026/month=01/day=01/hour=00");
    assertThat(bucket.getBucketId(at(T + 13 * HOUR), null))
        .isEqualTo("year=2026/month=01/day=01/hour=13");
  }

  /** The ledger, were it partitioned by day. */
  private static final class DailyLedger implements LakeTable<LedgerEntry> {
    private static final long serialVersionUID = 1L;
    private static final TableSchema SCHEMA =
        new TableSchema(
            "daily", "quality/daily", LedgerTable.SCHEMA.columns(), "By day.", Granularity.DAY);

    @Override
    public TableSchema schema() {
      return SCHEMA;
    }

    @Override
    public int schemaVersion() {
      return 1;
    }

    @Override
    public long partitionTime(LedgerEntry row) {
      return row.hour();
    }

    @Override
    public Origin origin(LedgerEntry row) {
      return null;
    }

    @Override
    public void write(LedgerEntry row, RowColumns columns) throws IOException {
      new LedgerTable().write(row, columns);
    }
  }

  @Test
  void isTheDayOfATableByDay() throws Exception {
    EventTimeBucket<LedgerEntry> bucket =
        InstantiationUtil.clone(new EventTimeBucket<>(new DailyLedger()));
    assertThat(bucket.getBucketId(at(-1), null)).isEqualTo("year=1969/month=12/day=31");
    assertThat(bucket.getBucketId(at(T - 1), null)).isEqualTo("year=2025/month=12/day=31");
    assertThat(bucket.getBucketId(at(T), null)).isEqualTo("year=2026/month=01/day=01");
    assertThat(bucket.getBucketId(at(T + 24 * HOUR - 1), null))
        .isEqualTo("year=2026/month=01/day=01");
    assertThat(bucket.getBucketId(at(T + 24 * HOUR), null)).isEqualTo("year=2026/month=01/day=02");
  }

  @Test
  void remembersMoreHoursThanItCaches() {
    EventTimeBucket<LedgerEntry> bucket = new EventTimeBucket<>(new LedgerTable());
    for (int round = 0; round < 2; round++) {
      for (long h = 0; h < 3_000; h++) {
        assertThat(bucket.getBucketId(at(T + h * HOUR), null))
            .endsWith(String.format("/hour=%02d", h % 24));
      }
    }
  }

  @Test
  void itsIdsSurviveACheckpoint() throws Exception {
    SimpleVersionedSerializer<String> serializer =
        new EventTimeBucket<>(new LedgerTable()).getSerializer();
    String id = "year=2026/month=01/day=01/hour=13";
    assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(id)))
        .isEqualTo(id);
  }
}
