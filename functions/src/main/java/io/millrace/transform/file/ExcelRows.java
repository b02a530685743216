package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import javax.annotation.Nullable;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** Sheets of workbooks as rows, of the types that {@link ExcelInference} finds. */
public final class ExcelRows implements RowFormat {
  private static final long serialVersionUID = 1L;

  private final ExcelSource source;
  private final FileColumns columns;

  /**
   * Rows of these columns.
   *
   * @param rowType the sheets' columns, and the order column as the last one if {@code ordered}
   */
  public ExcelRows(ExcelSource source, RowType rowType, boolean ordered) {
    this.source = source;
    this.columns = new FileColumns(rowType, ordered);
  }

  @Override
  public RowType rowType() {
    return columns.rowType();
  }

  @Override
  public Reader open(Path file, int index) throws IOException {
    return new SheetReader(file, index);
  }

  private final class SheetReader implements Reader {
    private final Path file;
    private final int index;
    private final ExcelSheet sheet;
    private final int[] positions;
    private long read;

    SheetReader(Path file, int index) throws IOException {
      this.file = file;
      this.index = index;
      this.sheet = new ExcelSheet(file, source);
      try {
        this.positions =
            CsvInference.positions(
                columns.names(), ExcelInference.names(sheet.header(), columns.count()), file);
      } catch (IOException e) {
        sheet.close();
        throw e;
      }
    }

    @Override
    @Nullable
    public RowData read() throws IOException {
      Object[] cells = sheet.read();
      if (cells == null) {
        return null;
      }
      if (cells.length > positions.length) {
        throw changed();
      }
      GenericRowData row = new GenericRowData(columns.rowType().getFieldCount());
      for (int i = 0; i < cells.length; i++) {
        int position = positions[i];
        row.setField(position, internal(cells[i], columns.rowType().getTypeAt(position)));
      }
      if (columns.ordered()) {
        row.setField(columns.count(), RowFormat.order(index, read));
      }
      read++;
      return row;
    }

    @Nullable
    private Object internal(@Nullable Object value, LogicalType type)
        throws MalformedFileException {
      if (value == null) {
        return null;
      }
      switch (type.getTypeRoot()) {
        case VARCHAR -> {
          return StringData.fromString(ExcelSheet.text(value));
        }
        case DOUBLE -> {
          if (value instanceof Number number) {
            return number.doubleValue();
          }
        }
        case BIGINT -> {
          if (value instanceof Long) {
            return value;
          }
        }
        case BOOLEAN -> {
          if (value instanceof Boolean) {
            return value;
          }
        }
        case DATE -> {
          if (value instanceof LocalDate date) {
            return (int) date.toEpochDay();
          }
        }
        case TIME_WITHOUT_TIME_ZONE -> {
          if (value instanceof LocalTime time) {
            return ExcelSheet.millis(time);
          }
        }
        case TIMESTAMP_WITHOUT_TIME_ZONE -> {
          if (value instanceof LocalDateTime time) {
            return TimestampData.fromLocalDateTime(time);
          } else if (value instanceof LocalDate date) {
            return TimestampData.fromLocalDateTime(date.atStartOfDay());
          }
        }
        default -> throw new IllegalStateException("no reading of " + type);
      }
      throw changed();
    }

    private MalformedFileException changed() {
      return new MalformedFileException(
          "row "
              + sheet.rowNumber()
              + " of "
              + file.getFileName()
              + " is not as it was when the types were found: the file has changed since");
    }

    @Override
    public void close() throws IOException {
      sheet.close();
    }
  }
}
