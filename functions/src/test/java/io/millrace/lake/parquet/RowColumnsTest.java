package io.millrace.lake.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Origin;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The column types that the released tables do not use yet, and rows that do not fit. */
class RowColumnsTest {
  @TempDir Path dir;

  @Test
  void numbersAndListsReadBack() throws Exception {
    List<Measure> rows = new ArrayList<>();
    rows.add(new Measure(1.5, 7, List.of("a", "b"), List.of("x")));
    rows.add(new Measure(null, null, List.of(), null));
    rows.add(new Measure(-0.25, -7, null, Arrays.asList("y", null, "é")));
    rows.add(new Measure(Double.NaN, Integer.MIN_VALUE, List.of(""), List.of()));
    Path file = ParquetFiles.write(dir.resolve("f"), new MeasureTable(), rows);
    assertThat(ParquetFiles.query(file, "select d, i, tags::varchar, steps::varchar from %s"))
        .containsExactly(
            "1.5|7|[a, b]|[{'name': x}]",
            "null|null|[]|null",
            "-0.25|-7|null|[{'name': y}, {'name': NULL}, {'name': é}]",
            "NaN|-2147483648|['']|[]");
    assertThat(ParquetFiles.query(file, "select count(*) from %s where d = 1.5"))
        .containsExactly("1");
  }

  @Test
  void aMissingColumnIsNamed() {
    RowColumns columns =
        new RowColumns(
            "p/t",
            ParquetSchema.of(new MeasureTable().schema()),
            new MeasureTable().uniqueColumns(),
            ParquetOptions.DEFAULT,
            new PageCodec(1));
    assertThatThrownBy(
            () -> {
              columns.decimal(1);
              columns.endRow();
            })
        .hasMessage("p/t: a row got 1 of 4 leaf columns");
  }

  @Test
  void encodedTextNeedsAUniqueColumn() {
    RowColumns columns =
        new RowColumns(
            "p/t",
            ParquetSchema.of(LedgerTable.SCHEMA),
            new LedgerTable().uniqueColumns(),
            ParquetOptions.DEFAULT,
            new PageCodec(1));
    assertThatThrownBy(() -> columns.bytes(new byte[] {'a'}))
        .hasMessage(
            "column run_id takes encoded text only when it is one of the table's unique columns");
  }

  @Test
  void deeperNestingIsRefused() {
    TableSchema table =
        new TableSchema(
            "t",
            "p/t",
            List.of(
                Column.optional("c", LakeType.array(LakeType.array(LakeType.STRING)), "nested")),
            "");
    assertThatThrownBy(
            () ->
                new RowColumns(
                    "p/t",
                    ParquetSchema.of(table),
                    new LedgerTable().uniqueColumns(),
                    ParquetOptions.DEFAULT,
                    new PageCodec(1)))
        .hasMessageContaining("p/t: column c.list.element.list.element is nested");
  }

  private record Measure(Double d, Integer i, List<String> tags, List<String> steps) {}

  private static final class MeasureTable implements LakeTable<Measure> {
    private static final long serialVersionUID = 1L;

    @Override
    public TableSchema schema() {
      return new TableSchema(
          "measures",
          "p/t",
          List.of(
              Column.optional("d", LakeType.DOUBLE, ""),
              Column.optional("i", LakeType.INT, ""),
              Column.optional("tags", LakeType.array(LakeType.STRING), ""),
              Column.optional(
                  "steps",
                  LakeType.array(LakeType.struct(Column.optional("name", LakeType.STRING, ""))),
                  "")),
          "");
    }

    @Override
    public int schemaVersion() {
      return 1;
    }

    @Override
    public long partitionTime(Measure row) {
      return 0;
    }

    @Override
    public Origin origin(Measure row) {
      return null;
    }

    @Override
    public void write(Measure row, RowColumns columns) throws IOException {
      if (row.d() == null) {
        columns.none();
      } else {
        columns.decimal(row.d());
      }
      if (row.i() == null) {
        columns.none();
      } else {
        columns.integer(row.i());
      }
      columns.array(row.tags(), 1, (tag, fields) -> fields.string(tag));
      columns.array(row.steps(), 1, (step, fields) -> fields.string(step));
    }
  }
}
