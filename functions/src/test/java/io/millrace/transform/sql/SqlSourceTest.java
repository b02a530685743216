package io.millrace.transform.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.DateType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.Test;

/** How a query is cut, and what of it is kept while it is read. */
class SqlSourceTest {
  private static final String SQL = "SELECT * FROM (SELECT 1) AS millrace WHERE ";

  @Test
  void partsAreRangesOfWhichTheFirstHasTheNulls() {
    assertThat(new Partitions("a\"b", new BigIntType()).split("SELECT 1", -10, 20, 3))
        .containsExactly(
            SQL + "\"a\"\"b\" < (0) OR \"a\"\"b\" IS NULL",
            SQL + "\"a\"\"b\" >= (0) AND \"a\"\"b\" < (10)",
            SQL + "\"a\"\"b\" >= (10)");
    assertThat(new Partitions("d", new DateType()).split("SELECT 1", 0, 10, 2))
        .containsExactly(
            SQL + "\"d\" < DATE '1970-01-01' + (5) OR \"d\" IS NULL",
            SQL + "\"d\" >= DATE '1970-01-01' + (5)");
    assertThat(new Partitions("t", new LocalZonedTimestampType(6)).split("SELECT 1", 0, 10, 2))
        .last()
        .isEqualTo(
            SQL + "\"t\" >= TIMESTAMPTZ '1970-01-01 00:00:00+00' + (5) * INTERVAL '1 microsecond'");
  }

  @Test
  void thereAreNoMorePartsThanValues() {
    Partitions partitions = new Partitions("a", new BigIntType());
    assertThat(partitions.split("SELECT 1", 7, 7, 5)).containsExactly(SQL + "TRUE");
    assertThat(partitions.split("SELECT 1", 1, 3, 100)).hasSize(3);
    assertThat(partitions.split("SELECT 1", Long.MIN_VALUE, Long.MAX_VALUE, 4))
        .hasSize(4)
        .doesNotHaveDuplicates()
        .element(2)
        .isEqualTo(SQL + "\"a\" >= (0) AND \"a\" < (4611686018427387904)");
  }

  @Test
  void boundsAreOfTheColumnsType() {
    Partitions days = new Partitions("d", new DateType());
    assertThat(days.bound("lower_bound", "1970-01-31")).isEqualTo(30);
    assertThatThrownBy(() -> days.bound("lower_bound", "31.1.1970"))
        .hasMessage("lower_bound is '31.1.1970', but must be a date such as 2026-01-31, as d is");
    Partitions times = new Partitions("t", new LocalZonedTimestampType(6));
    assertThat(times.bound("upper_bound", "1970-01-01 00:00:01.5")).isEqualTo(1_500_000);
    assertThat(times.bound("upper_bound", "1969-12-31")).isEqualTo(-86_400_000_000L);
    assertThatThrownBy(() -> times.bound("upper_bound", "5"))
        .hasMessage(
            "upper_bound is '5', but must be a time in UTC such as 2026-01-31 10:00:00, as t is");
    assertThatThrownBy(() -> new Partitions("x", new DoubleType()))
        .hasMessage(
            "partition_column 'x' is DOUBLE, but must be an integer, a date or a timestamp");
  }

  @Test
  void aSplitIsKeptAsItsPlaceAndTheRowsSent() throws Exception {
    SqlSource source =
        new SqlSource(
            new SqlQuery(
                new SqlAddress("postgresql://127.0.0.1:1/d", null, null),
                "SELECT 1",
                Duration.ofSeconds(1),
                10),
            List.of("SELECT 1", "SELECT 2"),
            RowType.of(new BigIntType()),
            false);
    List<SqlSplit> splits = List.of(new SqlSplit(source, 0, 0), new SqlSplit(source, 1, 1L << 33));

    SimpleVersionedSerializer<Collection<SqlSplit>> all =
        source.getEnumeratorCheckpointSerializer();
    assertThat(all.deserialize(all.getVersion(), all.serialize(splits))).isEqualTo(splits);
    SimpleVersionedSerializer<SqlSplit> one = source.getSplitSerializer();
    byte[] bytes = one.serialize(splits.get(1));
    assertThat(bytes).hasSize(12);
    assertThat(one.deserialize(one.getVersion(), bytes)).isEqualTo(splits.get(1));
  }

  @Test
  void asksOnlyHostsThatTheOperatorAllows() {
    assertRefused(
        "postgresql://169.254.169.254/d",
        "db_url names the host '169.254.169.254' at 169.254.169.254, which no pipeline may ask");
    assertRefused(
        "postgresql://[fe80::1]/d",
        "db_url names the host '[fe80::1]' at fe80:0:0:0:0:0:0:1, which no pipeline may ask");
    System.setProperty("millrace.sql.hosts", "db.example, localhost");
    try {
      assertRefused(
          "postgresql://127.0.0.1:1/d",
          "db_url names the host '127.0.0.1', but MILLRACE_SQL_HOSTS has db.example, localhost");
      assertRefused(
          "postgresql://LOCALHOST:1/d",
          "postgresql://LOCALHOST:1/d is not reached, or its TLS is not as db_url asks (SQLSTATE"
              + " 08001)");
    } finally {
      System.clearProperty("millrace.sql.hosts");
    }
  }

  private static void assertRefused(String address, String message) {
    assertThatThrownBy(
            () -> new SqlAddress(address, "ann", null).connect(Duration.ofSeconds(1)).close())
        .isInstanceOf(IOException.class)
        .hasMessage(message);
  }
}
