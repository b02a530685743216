package io.millrace.lake.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The statement that makes a table. */
class HiveDdlTest {

  @Test
  void namesAreQuotedAndTextsEscaped() {
    TableSchema table =
        new TableSchema(
            "t",
            "quality/t",
            List.of(
                Column.required("timestamp", LakeType.TIMESTAMP, "the client's clock"),
                Column.optional("b", LakeType.array(LakeType.STRING), "a \\ b")),
            "What a row is.");
    TableSchema other =
        new TableSchema(
            "u",
            "raw/u",
            List.of(Column.required("a", LakeType.LONG, "")),
            "Other.",
            Granularity.DAY);
    assertThat(HiveDdl.createTables(List.of(table, other)))
        .isEqualTo(
            """
            CREATE EXTERNAL TABLE IF NOT EXISTS `t` (
              `timestamp` timestamp COMMENT 'the client\\'s clock',
              `b` array<string> COMMENT 'a \\\\ b'
            )
            COMMENT 'What a row is.'
            PARTITIONED BY (
              `year` string COMMENT 'UTC, zero-padded',
              `month` string COMMENT 'UTC, zero-padded',
              `day` string COMMENT 'UTC, zero-padded',
              `hour` string COMMENT 'UTC, zero-padded'
            )
            STORED AS PARQUET
            LOCATION '${lake}/quality/t';

            CREATE EXTERNAL TABLE IF NOT EXISTS `u` (
              `a` bigint COMMENT ''
            )
            COMMENT 'Other.'
            PARTITIONED BY (
              `year` string COMMENT 'UTC, zero-padded',
              `month` string COMMENT 'UTC, zero-padded',
              `day` string COMMENT 'UTC, zero-padded'
            )
            STORED AS PARQUET
            LOCATION '${lake}/raw/u';
            """);
  }
}
