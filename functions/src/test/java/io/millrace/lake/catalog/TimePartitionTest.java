package io.millrace.lake.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hours and days as folders. */
class TimePartitionTest {

  private static long at(String instant) {
    return Instant.parse(instant).toEpochMilli();
  }

  @ParameterizedTest
  @CsvSource({
    "2026-01-31T07:59:59.999Z, HOUR, year=2026/month=01/day=31/hour=07, 2026-01-31T08:00:00Z",
    "2026-01-31T07:59:59.999Z, DAY, year=2026/month=01/day=31, 2026-02-01T00:00:00Z",
    "2024-02-29T00:00:00Z, HOUR, year=2024/month=02/day=29/hour=00, 2024-02-29T01:00:00Z",
    "2024-02-29T00:00:00Z, DAY, year=2024/month=02/day=29, 2024-03-01T00:00:00Z",
    "1969-12-31T23:30:00Z, HOUR, year=1969/month=12/day=31/hour=23, 1970-01-01T00:00:00Z",
    "1969-12-31T23:30:00Z, DAY, year=1969/month=12/day=31, 1970-01-01T00:00:00Z",
  })
  void anInstantHasAFolderAndBack(
      String instant, Granularity granularity, String path, String end) {
    TimePartition partition = TimePartition.of(at(instant), granularity);
    assertThat(partition.path()).isEqualTo(path);
    assertThat(partition.end()).isEqualTo(at(end));
    assertThat(TimePartition.parse(path, granularity)).isEqualTo(partition);
    assertThat(TimePartition.parse(path + "/", granularity)).isEqualTo(partition);
  }

  @Test
  void anHourAndADayThatStartTogetherDiffer() {
    long midnight = at("2026-01-31T00:00:00Z");
    assertThat(TimePartition.day(midnight)).isNotEqualTo(TimePartition.hour(midnight));
    assertThat(TimePartition.day(midnight).values()).isEqualTo(List.of("2026", "01", "31"));
    assertThat(TimePartition.hour(midnight).values()).isEqualTo(List.of("2026", "01", "31", "00"));
  }

  @ParameterizedTest
  @CsvSource({
    "HOUR, year=2026/month=01/day=31, year=YYYY/month=MM/day=DD/hour=HH",
    "DAY, year=2026/month=01/day=31/hour=07, year=YYYY/month=MM/day=DD",
    "DAY, year=2026/month=1/day=31, year=YYYY/month=MM/day=DD",
    "DAY, year=2026/month=02/day=30, year=YYYY/month=MM/day=DD",
    "HOUR, year=2026/month=01/day=31/hour=24, year=YYYY/month=MM/day=DD/hour=HH",
  })
  void aPathOfAnotherKindIsRefused(Granularity granularity, String path, String expected) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TimePartition.parse(path, granularity))
        .withMessage("not a partition path: '" + path + "', expected " + expected);
  }

  @Test
  void aStartInBetweenIsRefused() {
    long seven = at("2026-01-31T07:00:00Z");
    assertThat(new TimePartition(seven, Granularity.HOUR).start()).isEqualTo(seven);
    assertThatThrownBy(() -> new TimePartition(seven, Granularity.DAY))
        .hasMessage("not a whole day: " + seven);
    assertThatThrownBy(() -> new TimePartition(seven + 1, Granularity.HOUR))
        .hasMessage("not a whole hour: " + (seven + 1));
  }

  @Test
  void aColumnMayHaveTheNameOfAPartOfTimeThatIsNoPartition() {
    List<Column> hour = List.of(Column.required("hour", LakeType.INT, "busiest hour"));
    assertThat(new TableSchema("t", "p/t", hour, "", Granularity.DAY).columns()).isEqualTo(hour);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TableSchema("t", "p/t", hour, ""))
        .withMessage("table t: 'hour' is the name of a partition column");
  }
}
