package io.millrace.transform.file;

import io.millrace.transform.file.FieldText.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.annotation.Nullable;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.VarCharType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the columns of delimited files and their types by reading them whole, in one pass and with
 * no more memory than a record. The types are those of pandas' {@code read_csv}, but nulls make no
 * type wider: a column is BIGINT if all its values are, else DOUBLE if all are numbers, BOOLEAN if
 * all are, and else STRING. Integers beyond a BIGINT make a column of integers STRING, so that no
 * digit is lost. Without any value a column is DOUBLE, or STRING when there are no rows.
 */
public final class CsvInference {
  private static final Logger LOG = LoggerFactory.getLogger(CsvInference.class);
  private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int PROGRESS_ROWS = 1 << 14;

  private final CsvDialect dialect;
  private final Map<String, LogicalType> declared;
  @Nullable private List<String> columns;
  @Nullable private int[] seen;
  private long rows;
  private final List<String> warnings = new ArrayList<>();

  private CsvInference(CsvDialect dialect, Map<String, LogicalType> declared) {
    this.dialect = dialect;
    this.declared = declared;
  }

  /**
   * The columns of files.
   *
   * @param rows how many there are; not counted, and -1, when all types were declared
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
   * Reads the files. With types declared for all columns only their headers are read.
   *
   * @param declared types by column, which need no finding
   * @throws MalformedFileException when a file has no header, another header than the first, a
   *     record too many fields, or text is not in the encoding
   */
  public static Columns read(
      List<Path> files, CsvDialect dialect, Map<String, LogicalType> declared) throws IOException {
    CsvInference inference = new CsvInference(dialect, declared);
    for (Path file : files) {
      inference.read(file);
    }
    return inference.columns();
  }

  private Columns columns() {
    List<LogicalType> types = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      LogicalType type = declared.get(columns.get(i));
      types.add(type == null ? type(seen[i]) : type);
    }
    boolean counted = !declared.keySet().containsAll(columns);
    return new Columns(columns, types, counted ? rows : -1, warnings);
  }

  private LogicalType type(int kinds) {
    if (kinds == 0) {
      return rows == 0 ? new VarCharType(VarCharType.MAX_LENGTH) : new DoubleType();
    }
    if (kinds == Kind.BOOLEAN.bit()) {
      return new BooleanType();
    }
    if ((kinds & (Kind.TEXT.bit() | Kind.BOOLEAN.bit())) != 0) {
      return new VarCharType(VarCharType.MAX_LENGTH);
    }
    if ((kinds & Kind.DECIMAL.bit()) != 0) {
      return new DoubleType();
    }
    return (kinds & Kind.BIG_INTEGER.bit()) != 0
        ? new VarCharType(VarCharType.MAX_LENGTH)
        : new BigIntType();
  }

  private void read(Path file) throws IOException {
    Counted bytes = new Counted(CsvDialect.bytes(file));
    Kinds kinds = new Kinds(file);
    try (InputStream stream = bytes) {
      if (!kinds.open(dialect, stream)) {
        throw new MalformedFileException(
            file.getFileName() + " is empty: it has not even a header");
      }
      if (declared.keySet().containsAll(columns)) {
        return;
      }
      long size = Files.size(file);
      long next = System.nanoTime() + PROGRESS_NANOS;
      long before = rows;
      while (kinds.read() != null) {
        rows++;
        if (rows % PROGRESS_ROWS == 0 && System.nanoTime() - next > 0) {
          next = System.nanoTime() + PROGRESS_NANOS;
          LOG.info(
              "Finding the types of {}: {} rows, {} % read",
              file.getFileName(), rows - before, size == 0 ? 100 : 100 * bytes.count / size);
        }
      }
      if (kinds.shortRecords > 0) {
        warnings.add(
            file.getFileName()
                + " has "
                + kinds.shortRecords
                + " rows with fewer fields than the header, the first at line "
                + kinds.firstShort
                + "; the missing ones are null");
      }
    }
  }

  /** Where each column of a file's header stands among the columns of the first file. */
  static int[] positions(List<String> columns, List<String> header, Path file)
      throws MalformedFileException {
    int[] positions = new int[header.size()];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = columns.indexOf(header.get(i));
      if (positions[i] < 0) {
        throw new MalformedFileException(
            file.getFileName()
                + " has a column '"
                + header.get(i)
                + "', but the first file has only "
                + String.join(", ", columns));
      }
    }
    if (header.size() < columns.size()) {
      List<String> missing = new ArrayList<>(columns);
      missing.removeAll(header);
      throw new MalformedFileException(
          file.getFileName()
              + " lacks the column '"
              + missing.get(0)
              + "', which the first file has");
    }
    return positions;
  }

  private final class Kinds extends CsvRecords<Object> {
    private final FieldText text = new FieldText();
    private int[] positions = new int[0];
    private boolean[] skipped = new boolean[0];
    private long shortRecords;
    private long firstShort;

    Kinds(Path file) {
      super(file);
    }

    @Override
    void header(List<String> names) throws MalformedFileException {
      if (columns == null) {
        columns = names;
        seen = new int[names.size()];
      }
      positions = positions(columns, names, file());
      skipped = new boolean[names.size()];
      for (int i = 0; i < skipped.length; i++) {
        skipped[i] =
            declared.containsKey(names.get(i)) || (seen[positions[i]] & Kind.TEXT.bit()) != 0;
      }
    }

    @Override
    void field(int column, char[] buffer, int offset, int length) {
      if (!skipped[column] && !dialect.nulls().matches(buffer, offset, length)) {
        int kind = text.kindOf(buffer, offset, length).bit();
        seen[positions[column]] |= kind;
        skipped[column] = kind == Kind.TEXT.bit();
      }
    }

    @Override
    Object record(int fields) {
      if (fields < positions.length) {
        firstShort = shortRecords == 0 ? line() : firstShort;
        shortRecords++;
      }
      return this;
    }
  }

  private static final class Counted extends java.io.FilterInputStream {
    private long count;

    Counted(InputStream stream) {
      super(stream);
    }

    @Override
    public int read() throws IOException {
      int b = super.read();
      count += b < 0 ? 0 : 1;
      return b;
    }

    @Override
    public int read(byte[] b, int offset, int length) throws IOException {
      int read = super.read(b, offset, length);
      count += Math.max(0, read);
      return read;
    }
  }

  @Override
  public String toString() {
    return columns == null ? "no columns" : columns + " " + Arrays.toString(seen);
  }
}
