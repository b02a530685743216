package io.millrace.transform.file;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.Base64;
import java.util.List;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.dhatim.fastexcel.RichText;
import org.dhatim.fastexcel.Workbook;
import org.dhatim.fastexcel.Worksheet;

/**
 * An Excel workbook with one sheet, {@code Sheet1}, whose first row is the header. Dates and times
 * are Excel's, which end at milliseconds; instants are those of UTC. Nulls and NaN are empty,
 * infinities and days before March 1900, which Excel counts wrongly, are text; bytes are base64.
 */
final class ExcelFile implements RowFile {
  /** A sheet's rows, the header among them. */
  static final int MAX_ROWS = Worksheet.MAX_ROWS;

  static final int MAX_COLUMNS = Worksheet.MAX_COLS;

  private static final int MAX_TEXT = 32_767;
  private static final int FLUSH_ROWS = 256;
  private static final LocalDate FIRST_DAY = LocalDate.of(1900, 3, 1);
  private static final int LAST_YEAR = 9999;
  private static final double MILLIS_OF_DAY = 86_400_000;

  private final OutputStream bytes;
  private final Workbook workbook;
  private final Worksheet sheet;
  private final List<String> names;
  private final Cell[] cells;
  private int row = 1;

  /** Writes the value of one column in a row that has one. */
  private interface Cell {
    void write(RowData row) throws IOException;
  }

  ExcelFile(Path file, RowType rowType) throws IOException {
    this.names = rowType.getFieldNames();
    this.bytes = new BufferedOutputStream(Files.newOutputStream(file));
    this.workbook = new Workbook(bytes, "Millrace", null);
    this.sheet = workbook.newWorksheet("Sheet1");
    this.cells = new Cell[names.size()];
    for (int i = 0; i < cells.length; i++) {
      sheet.inlineString(0, i, checked(i, names.get(i)));
      cells[i] = cell(rowType.getTypeAt(i), i);
    }
  }

  private Cell cell(LogicalType type, int i) {
    RowData.FieldGetter getter = RowData.createFieldGetter(type, i);
    return switch (type.getTypeRoot()) {
      case CHAR, VARCHAR -> row -> text(i, row.getString(i).toString());
      case BOOLEAN -> row -> sheet.value(this.row, i, row.getBoolean(i));
      case TINYINT, SMALLINT, INTEGER, BIGINT ->
          row -> sheet.value(this.row, i, (Number) getter.getFieldOrNull(row));
      case FLOAT ->
          // By its own digits: as a double 0.1 would be 0.10000000149011612.
          row -> number(i, row.getFloat(i), Float.toString(row.getFloat(i)));
      case DOUBLE -> row -> number(i, row.getDouble(i), Double.toString(row.getDouble(i)));
      case DECIMAL -> {
        DecimalType decimal = (DecimalType) type;
        yield row ->
            sheet.value(
                this.row,
                i,
                row.getDecimal(i, decimal.getPrecision(), decimal.getScale()).toBigDecimal());
      }
      case BINARY, VARBINARY ->
          row -> text(i, Base64.getEncoder().encodeToString(row.getBinary(i)));
      case DATE ->
          row -> {
            LocalDate date = LocalDate.ofEpochDay(row.getInt(i));
            if (fits(date)) {
              sheet.value(this.row, i, date);
              sheet.style(this.row, i).format("yyyy-mm-dd").set();
            } else {
              text(i, date.toString());
            }
          };
      case TIME_WITHOUT_TIME_ZONE ->
          row -> {
            sheet.value(this.row, i, row.getInt(i) / MILLIS_OF_DAY);
            sheet
                .style(this.row, i)
                .format(row.getInt(i) % 1000 == 0 ? "hh:mm:ss" : "hh:mm:ss.000")
                .set();
          };
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> {
        int precision = LogicalTypeChecks.getPrecision(type);
        yield row -> {
          var value = row.getTimestamp(i, precision);
          LocalDateTime time = value.toLocalDateTime();
          if (fits(time.toLocalDate())) {
            sheet.value(this.row, i, time);
            sheet
                .style(this.row, i)
                .format(
                    value.getMillisecond() % 1000 == 0
                        ? "yyyy-mm-dd hh:mm:ss"
                        : "yyyy-mm-dd hh:mm:ss.000")
                .set();
          } else {
            text(i, TemporalText.of(value, new TimestampType(precision)));
          }
        };
      }
      default -> throw new IllegalArgumentException("no cell for " + type.asSummaryString());
    };
  }

  private static boolean fits(LocalDate date) {
    return !date.isBefore(FIRST_DAY) && date.getYear() <= LAST_YEAR;
  }

  private void number(int column, double value, String digits) throws IOException {
    if (Double.isInfinite(value)) {
      text(column, value > 0 ? "inf" : "-inf");
    } else if (!Double.isNaN(value)) {
      sheet.value(row, column, new BigDecimal(digits));
    }
  }

  private void text(int column, String text) throws IOException {
    // Kept in the sheet: shared texts would all be held until the end.
    String value = checked(column, text);
    if (value.isEmpty() || !value.equals(value.strip())) {
      // Excel drops the spaces around a plain text.
      sheet.inlineString(row, column, RichText.builder().run(value).end().build());
    } else {
      sheet.inlineString(row, column, value);
    }
  }

  private String checked(int column, String text) throws IOException {
    if (text.length() > MAX_TEXT) {
      throw new IOException(
          "a text in column '"
              + names.get(column)
              + "' has "
              + text.length()
              + " characters, but a cell of Excel holds "
              + MAX_TEXT
              + "; take another format");
    }
    return text;
  }

  @Override
  public void write(RowData data) throws IOException {
    if (row == MAX_ROWS) {
      throw new IOException(
          "there are more rows than a sheet of Excel holds, which is "
              + (MAX_ROWS - 1)
              + " below the header; set files to 2 or more, or take another format");
    }
    for (int i = 0; i < cells.length; i++) {
      if (!data.isNullAt(i)) {
        cells[i].write(data);
      }
    }
    row++;
    if (row % FLUSH_ROWS == 0) {
      sheet.flush();
    }
  }

  @Override
  public void finish() throws IOException {
    workbook.finish();
    bytes.flush();
  }

  @Override
  public void close() throws IOException {
    // Not the workbook, whose closing would make whole what has failed.
    bytes.close();
  }
}
