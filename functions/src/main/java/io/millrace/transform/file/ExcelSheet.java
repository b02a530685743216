package io.millrace.transform.file;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.TimeType;
import org.apache.flink.table.types.logical.TimestampType;
import org.dhatim.fastexcel.reader.Cell;
import org.dhatim.fastexcel.reader.CellType;
import org.dhatim.fastexcel.reader.ExcelReaderException;
import org.dhatim.fastexcel.reader.ReadableWorkbook;
import org.dhatim.fastexcel.reader.ReadingOptions;
import org.dhatim.fastexcel.reader.Row;

/**
 * The rows of one sheet, from its header on, one at a time; of a workbook only its shared texts are
 * held. A cell is null, a Long, Double, Boolean, LocalDate, LocalDateTime, LocalTime or String.
 * Formulas have the value that was stored with them; errors are null. Empty rows count where more
 * rows follow, as pandas has it.
 */
final class ExcelSheet implements Closeable {
  private static final int SIGNATURE_BYTES = 8;
  private static final int MAX_ROWS = 1_048_576;
  private static final int MAX_COLUMNS = 16_384;
  private static final double DAYS_TO_YEAR_10000 = 2_958_466;
  private static final BigDecimal MIN_LONG = BigDecimal.valueOf(Long.MIN_VALUE);
  private static final BigDecimal MAX_LONG = BigDecimal.valueOf(Long.MAX_VALUE);
  private static final Set<String> ERRORS =
      Set.of(
          "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!");
  private static final int MILLIS = 3;
  private static final Object[] EMPTY = new Object[0];

  private final String name;
  private final NullTokens nulls;
  private final ReadableWorkbook workbook;
  private final Stream<Row> stream;
  private final Iterator<Row> rows;
  private final Map<String, ExcelFormat> formats = new HashMap<>();
  private final List<String> header = new ArrayList<>();
  private int last;
  private int rowsSeen;
  @Nullable private Object[] pending;
  private int pendingRow;
  private long errors;
  private String firstError = "";
  private long unknown;
  private String firstUnknown = "";

  /** Reads up to the header's end. */
  ExcelSheet(Path file, ExcelSource source) throws IOException {
    this.name = file.getFileName().toString();
    this.nulls = source.nulls();
    this.workbook = open(file, name);
    try {
      this.stream = source.find(workbook, name).openStream();
      this.rows = stream.iterator();
      readHeader(source.headerRow());
    } catch (IOException | RuntimeException e) {
      workbook.close();
      throw e instanceof MalformedFileException malformed ? malformed : unreadable(e);
    }
  }

  private static ReadableWorkbook open(Path file, String name) throws IOException {
    byte[] signature;
    try (InputStream bytes = Files.newInputStream(file)) {
      signature = bytes.readNBytes(SIGNATURE_BYTES);
    }
    if (signature.length == SIGNATURE_BYTES && ReadableWorkbook.isOLE2Header(signature)) {
      throw new MalformedFileException(
          name
              + " is an Excel 97-2003 workbook or has a password; save it as .xlsx without"
              + " a password");
    }
    if (signature.length < SIGNATURE_BYTES || !ReadableWorkbook.isOOXMLZipHeader(signature)) {
      throw new MalformedFileException(name + " is not an Excel workbook (.xlsx)");
    }
    try {
      return new ReadableWorkbook(file.toFile(), new ReadingOptions(true, true));
    } catch (IOException | RuntimeException e) {
      return withoutFormats(file, name);
    }
  }

  /** A workbook need not have styles; then nothing in it is a date. */
  private static ReadableWorkbook withoutFormats(Path file, String name) throws IOException {
    try {
      return new ReadableWorkbook(file.toFile(), new ReadingOptions(false, true));
    } catch (IOException | RuntimeException e) {
      throw new MalformedFileException(
          name + " is not an Excel workbook that can be read: " + firstLine(e), e);
    }
  }

  private void readHeader(int headerRow) throws IOException {
    Object[] names = null;
    while (names == null) {
      if (!rows.hasNext()) {
        throw new MalformedFileException(
            name + " has no row " + headerRow + ", which is to hold the columns' names");
      }
      Row row = rows.next();
      int number = number(row);
      if (number > headerRow) {
        throw new MalformedFileException(
            name + " has nothing in row " + headerRow + ", which is to hold the columns' names");
      }
      rowsSeen = number;
      last = number;
      if (number == headerRow) {
        names = values(row, false);
      }
    }
    for (Object value : names) {
      header.add(value == null ? "" : text(value));
    }
    if (header.isEmpty()) {
      throw new MalformedFileException(
          name + " has nothing in row " + headerRow + ", which is to hold the columns' names");
    }
  }

  /** The names as they are written, empty where a cell is. */
  List<String> header() {
    return header;
  }

  /** The row's number in the sheet, from 1. */
  int rowNumber() {
    return last;
  }

  /** The next row's cells without empty ones at its end; null at the end of the sheet. */
  @Nullable
  Object[] read() throws IOException {
    try {
      while (pending == null) {
        if (!rows.hasNext()) {
          return null;
        }
        Row row = rows.next();
        int number = number(row);
        Object[] values = values(row, true);
        if (values.length > 0) {
          pending = values;
          pendingRow = number;
        }
        rowsSeen = number;
      }
    } catch (RuntimeException e) {
      throw unreadable(e);
    }
    last++;
    if (last < pendingRow) {
      return EMPTY;
    }
    Object[] values = pending;
    pending = null;
    return values;
  }

  /** Rows need not tell their number; then they follow each other. */
  private int number(Row row) throws MalformedFileException {
    int number = Math.max(row.getRowNum(), rowsSeen + 1);
    if (number > MAX_ROWS) {
      throw new MalformedFileException(
          name + " has a row " + number + "; a sheet ends at row " + MAX_ROWS);
    }
    return number;
  }

  private Object[] values(Row row, boolean data) throws MalformedFileException {
    int size = row.getCellCount();
    if (size > MAX_COLUMNS) {
      throw new MalformedFileException(
          name + " has a column " + size + "; a sheet ends at column " + MAX_COLUMNS);
    }
    Object[] values = new Object[size];
    int filled = 0;
    for (int i = 0; i < size; i++) {
      Cell cell = row.getCell(i);
      values[i] = cell == null ? null : value(cell, data);
      filled = values[i] == null ? filled : i + 1;
    }
    return filled == size ? values : java.util.Arrays.copyOf(values, filled);
  }

  @Nullable
  private Object value(Cell cell, boolean data) {
    Object value = cell.getValue();
    if (cell.getType() == CellType.ERROR
        || (cell.getFormula() != null && value instanceof String text && ERRORS.contains(text))) {
      firstError = errors++ == 0 ? cell.getAddress().toString() : firstError;
      return null;
    }
    if (value == null) {
      if (cell.getFormula() != null && cell.getRawValue() == null) {
        firstUnknown = unknown++ == 0 ? cell.getAddress().toString() : firstUnknown;
      }
      return null;
    }
    if (value instanceof BigDecimal number) {
      return number(cell, number);
    }
    if (value instanceof String text) {
      char[] chars = text.toCharArray();
      boolean isNull = chars.length == 0 || (data && nulls.matches(chars, 0, chars.length));
      return isNull ? null : text;
    }
    return value;
  }

  private Object number(Cell cell, BigDecimal number) {
    ExcelFormat format = format(cell);
    if (format != ExcelFormat.NUMBER) {
      double days = number.doubleValue();
      if (days >= 0 && days < DAYS_TO_YEAR_10000) {
        LocalDateTime time = cell.asDate();
        if (days < 1) {
          return time.toLocalTime();
        }
        return time.toLocalTime().equals(LocalTime.MIDNIGHT) ? time.toLocalDate() : time;
      }
    }
    boolean whole = number.signum() == 0 || number.stripTrailingZeros().scale() <= 0;
    if (whole && number.compareTo(MIN_LONG) >= 0 && number.compareTo(MAX_LONG) <= 0) {
      return number.longValue();
    }
    return number.doubleValue();
  }

  private ExcelFormat format(Cell cell) {
    Integer id = cell.getDataFormatId();
    String code = cell.getDataFormatString();
    if (id == null && code == null) {
      return ExcelFormat.NUMBER;
    }
    return formats.computeIfAbsent(
        code == null ? id.toString() : code, key -> ExcelFormat.of(id, code));
  }

  /** What is doubtful in what has been read, a line each. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    if (errors > 0) {
      warnings.add(
          name
              + " has "
              + errors
              + " cells with an error such as #DIV/0!, the first at "
              + firstError
              + "; they are null");
    }
    if (unknown > 0) {
      warnings.add(
          name
              + " has "
              + unknown
              + " formulas without a stored value, the first at "
              + firstUnknown
              + "; they are null until a spreadsheet program has saved the file");
    }
    return warnings;
  }

  /** A cell's value as the text of a column that holds other things too. */
  static String text(Object value) {
    if (value instanceof Double number) {
      return FloatText.of(number);
    } else if (value instanceof Boolean bool) {
      return bool ? "True" : "False";
    } else if (value instanceof LocalDateTime time) {
      return TemporalText.of(TimestampData.fromLocalDateTime(time), new TimestampType(MILLIS));
    } else if (value instanceof LocalTime time) {
      return TemporalText.of(millis(time), new TimeType(MILLIS));
    }
    return value.toString();
  }

  static int millis(LocalTime time) {
    return (int) TimeUnit.NANOSECONDS.toMillis(time.toNanoOfDay());
  }

  private MalformedFileException unreadable(Exception e) {
    Throwable cause = e instanceof UncheckedIOException && e.getCause() != null ? e.getCause() : e;
    return new MalformedFileException(
        name
            + " is not an Excel workbook that can be read, after row "
            + rowsSeen
            + ": "
            + firstLine(cause),
        e);
  }

  private static String firstLine(Throwable thrown) {
    Throwable cause = thrown;
    while (cause instanceof ExcelReaderException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return message.strip().lines().findFirst().orElse(cause.toString());
  }

  @Override
  public void close() throws IOException {
    try {
      stream.close();
    } finally {
      workbook.close();
    }
  }
}
