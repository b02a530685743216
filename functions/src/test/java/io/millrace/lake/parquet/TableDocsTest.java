package io.millrace.lake.parquet;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.config.OptionDocs;
import io.millrace.event.RejectReason;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.FlinkDdl;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.HiveDdl;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The Markdown of a table, and that the pages made from the released tables are current. */
class TableDocsTest {

  @Test
  void showsColumnsThenPartitions() {
    TableSchema table =
        new TableSchema(
            "t",
            "quality/t",
            List.of(
                Column.required("a", LakeType.LONG, "counts"),
                Column.optional(
                    "b", LakeType.map(LakeType.STRING, LakeType.STRING), "this | that")),
            "What a row is.");
    assertThat(TableDocs.markdown(List.of(table)))
        .isEqualTo(
            """
            ## quality/t

            What a row is.

            | column | type | null | meaning |
            |---|---|---|---|
            | `a` | `bigint` | never | counts |
            | `b` | `map<string,string>` | yes | this \\| that |
            | `year` | `string` | never | partition, zero-padded, UTC |
            | `month` | `string` | never | partition, zero-padded, UTC |
            | `day` | `string` | never | partition, zero-padded, UTC |
            | `hour` | `string` | never | partition, zero-padded, UTC |

            """);
  }

  @Test
  void aTableByDayHasNoHour() {
    List<Column> columns = List.of(Column.required("a", LakeType.LONG, "counts"));
    TableSchema table = new TableSchema("t", "quality/t", columns, "Doc.", Granularity.DAY);
    assertThat(TableDocs.markdown(List.of(table)))
        .endsWith("| `day` | `string` | never | partition, zero-padded, UTC |\n\n")
        .doesNotContain("hour");
  }

  @Test
  void theTablesPageIsCurrent() {
    List<TableSchema> tables = ParquetSchemaTest.tables().map(LakeTable::schema).toList();
    OptionDocs.verifySection(
        Path.of("../docs/tables.md"), "tables", "\n" + TableDocs.markdown(tables));
    OptionDocs.verifySection(
        Path.of("../docs/tables.md"), "reject reasons", "\n" + TableDocs.rejectReasons());
  }

  @Test
  void theHiveStatementsAreCurrent() {
    List<TableSchema> tables = ParquetSchemaTest.tables().map(LakeTable::schema).toList();
    OptionDocs.verify(
        Path.of("../sql/ddl/hive.sql"),
        """
        -- The lake's tables as a Hive Metastore holds them, for those who register them by hand.
        -- Put the lake's root for ${lake}: sed 's|${lake}|s3://bucket/path|' sql/ddl/hive.sql
        -- This file is generated from the code.

        """
            + HiveDdl.createTables(tables));
  }

  @Test
  void theStatementsOfFlinksSqlClientAreCurrent() {
    List<TableSchema> tables = ParquetSchemaTest.tables().map(LakeTable::schema).toList();
    OptionDocs.verify(
        Path.of("../sql/catalogs/lake.sql"),
        """
        -- The lake's tables for Flink's SQL client; scripts/sql puts the lake's root for ${lake}.
        -- They read by path: a table that has no row yet has no folder, and a query of it fails.
        -- This file is generated from the code.

        """
            + FlinkDdl.createTables(tables));
  }

  @Test
  void everyReasonSaysWhatItMeansOnce() {
    assertThat(TableDocs.rejectReasons())
        .startsWith("| code | owner | meaning |\n|---|---|---|\n| `null_value` | producer | ")
        .contains("| `internal_error` | millrace | ");
    assertThat(RejectReason.values())
        .allSatisfy(r -> assertThat(r.meaning()).isNotBlank().doesNotContain("\n", "|"))
        .extracting(RejectReason::meaning)
        .doesNotHaveDuplicates();
  }

  @Test
  void everyReleasedColumnSaysWhatItMeans() {
    assertThat(ParquetSchemaTest.tables().flatMap(t -> t.schema().columns().stream()))
        .allSatisfy(c -> assertThat(c.doc()).isNotBlank().doesNotContain("\n"));
  }
}
