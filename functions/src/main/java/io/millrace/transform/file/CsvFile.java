package io.millrace.transform.file;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import de.siegmar.fastcsv.writer.QuoteStrategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.List;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/**
 * A comma-separated file as pandas' {@code to_csv(index=False)} writes it: UTF-8, nulls and NaN
 * empty, {@code True} and {@code False}, floating-point numbers with the fewest digits, quotes only
 * where they have to be. Bytes are base64.
 */
final class CsvFile implements RowFile {
  private static final int BUFFER = 1 << 16;
  private static final char NO_COMMENTS = '\0';

  private final Cell[] cells;
  private final CsvWriter writer;
  private final String[] values;

  /** The text of one column in a row. */
  private interface Cell {
    String of(RowData row);
  }

  CsvFile(Path file, RowType rowType) throws IOException {
    this.cells = new Cell[rowType.getFieldCount()];
    for (int i = 0; i < cells.length; i++) {
      cells[i] = cell(rowType.getTypeAt(i), i);
    }
    this.values = new String[cells.length];
    boolean single = cells.length == 1;
    this.writer =
        CsvWriter.builder()
            .lineDelimiter(LineDelimiter.LF)
            .commentCharacter(NO_COMMENTS)
            .bufferSize(BUFFER)
            .quoteStrategy(
                new QuoteStrategy() {
                  // An empty line would be no row.
                  @Override
                  public boolean quoteNull(int line, int field) {
                    return single;
                  }

                  @Override
                  public boolean quoteEmpty(int line, int field) {
                    return single;
                  }
                })
            .build(
                file,
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
    List<String> names = rowType.getFieldNames();
    if (!names.isEmpty()) {
      writer.writeRecord(names);
    }
  }

  private static Cell cell(LogicalType type, int i) {
    Cell cell =
        switch (type.getTypeRoot()) {
          case CHAR, VARCHAR -> row -> row.getString(i).toString();
          case BOOLEAN -> row -> row.getBoolean(i) ? "True" : "False";
          case TINYINT -> row -> Byte.toString(row.getByte(i));
          case SMALLINT -> row -> Short.toString(row.getShort(i));
          case INTEGER -> row -> Integer.toString(row.getInt(i));
          case BIGINT -> row -> Long.toString(row.getLong(i));
          case FLOAT -> row -> Float.isNaN(row.getFloat(i)) ? "" : FloatText.of(row.getFloat(i));
          case DOUBLE ->
              row -> Double.isNaN(row.getDouble(i)) ? "" : FloatText.of(row.getDouble(i));
          case BINARY, VARBINARY -> row -> Base64.getEncoder().encodeToString(row.getBinary(i));
          default -> {
            RowData.FieldGetter getter = RowData.createFieldGetter(type, i);
            yield row -> TemporalText.of(getter.getFieldOrNull(row), type);
          }
        };
    return row -> row.isNullAt(i) ? null : cell.of(row);
  }

  @Override
  public void write(RowData row) throws IOException {
    for (int i = 0; i < cells.length; i++) {
      values[i] = cells[i].of(row);
    }
    try {
      writer.writeRecord(values);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public void finish() throws IOException {
    writer.flush();
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
