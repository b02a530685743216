package io.millrace.lake.parquet;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The Markdown of a table. */
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
  void everyReleasedColumnSaysWhatItMeans() {
    assertThat(ParquetSchemaTest.tables().flatMap(t -> t.schema().columns().stream()))
        .allSatisfy(c -> assertThat(c.doc()).isNotBlank().doesNotContain("\n"));
  }
}
