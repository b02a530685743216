package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.DateType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.TimeType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * Finds the columns of sheets and their types by reading them whole. A column is BIGINT if all its
 * numbers are whole, else DOUBLE; BOOLEAN; DATE if no value has a time of day, else TIMESTAMP(3);
 * TIME(3); and STRING where kinds meet that have no common type. Without any value a column is
 * DOUBLE, or STRING when there are no rows.
 */
public final class ExcelInference {
  private static final int INTEGER = 1;
  private static final int DECIMAL = 2;
  private static final int BOOLEAN = 4;
  private static final int DATE = 8;
  private static final int DATE_TIME = 16;
  private static final int TIME = 32;
  private static final int TEXT = 64;
  private static final int MILLIS = 3;

  private final List<String> columns = new ArrayList<>();
  private int[] seen = new int[0];
  private long rows;
  private final List<String> warnings = new ArrayList<>();

  private ExcelInference() {}

  /**
   * The columns of files.
   *
   * @param warnings what is doubtful in the files, a line each
   */
  public record Columns(
      List<String> names, List<LogicalType> types, long rows, List<String> warnings) {
    public Columns {
      names = List.copyOf(names);
      types = List.copyOf(types);
      warnings = List.copyOf(warnings);
    }
  }

  /**
   * Reads the files.
   *
   * @throws MalformedFileException when a file is no workbook, has no such sheet or header, or
   *     other columns than the first
   */
  public static Columns read(List<Path> files, ExcelSource source) throws IOException {
    ExcelInference inference = new ExcelInference();
    for (Path file : files) {
      inference.read(file, source);
    }
    List<LogicalType> types = new ArrayList<>();
    for (int kinds : inference.seen) {
      types.add(type(kinds, inference.rows));
    }
    return new Columns(inference.columns, types, inference.rows, inference.warnings);
  }

  private void read(Path file, ExcelSource source) throws IOException {
    int[] kinds;
    List<String> names;
    try (ExcelSheet sheet = new ExcelSheet(file, source)) {
      kinds = new int[sheet.header().size()];
      for (Object[] row = sheet.read(); row != null; row = sheet.read()) {
        rows++;
        kinds = row.length > kinds.length ? Arrays.copyOf(kinds, row.length) : kinds;
        for (int i = 0; i < row.length; i++) {
          kinds[i] |= row[i] == null ? 0 : kind(row[i]);
        }
      }
      names = names(sheet.header(), kinds.length);
      warnings.addAll(sheet.warnings());
    }
    if (columns.isEmpty()) {
      columns.addAll(names);
      seen = new int[columns.size()];
    }
    int[] positions = CsvInference.positions(columns, names, file);
    for (int i = 0; i < kinds.length; i++) {
      seen[positions[i]] |= kinds[i];
    }
  }

  /** The names of so many columns; those beyond the header have none written. */
  static List<String> names(List<String> header, int columns) {
    List<String> written = new ArrayList<>(header);
    while (written.size() < columns) {
      written.add("");
    }
    return CsvHeader.names(written);
  }

  private static int kind(Object value) {
    if (value instanceof Long) {
      return INTEGER;
    } else if (value instanceof Double) {
      return DECIMAL;
    } else if (value instanceof Boolean) {
      return BOOLEAN;
    } else if (value instanceof LocalDate) {
      return DATE;
    } else if (value instanceof LocalDateTime) {
      return DATE_TIME;
    }
    return value instanceof LocalTime ? TIME : TEXT;
  }

  private static LogicalType type(int kinds, long rows) {
    return switch (kinds) {
      case 0 -> rows == 0 ? new VarCharType(VarCharType.MAX_LENGTH) : new DoubleType();
      case INTEGER -> new BigIntType();
      case DECIMAL, INTEGER | DECIMAL -> new DoubleType();
      case BOOLEAN -> new BooleanType();
      case DATE -> new DateType();
      case DATE_TIME, DATE | DATE_TIME -> new TimestampType(MILLIS);
      case TIME -> new TimeType(MILLIS);
      default -> new VarCharType(VarCharType.MAX_LENGTH);
    };
  }
}
