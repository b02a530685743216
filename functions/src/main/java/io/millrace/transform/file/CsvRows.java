package io.millrace.transform.file;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.List;
import java.util.Set;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.data.writer.BinaryRowWriter;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;

/** Delimited files as rows, written straight into Flink's binary form. */
public final class CsvRows implements RowFormat {
  private static final long serialVersionUID = 1L;

  /** The types that a column may be declared to have. */
  public static final Set<LogicalTypeRoot> TYPES =
      Set.of(
          LogicalTypeRoot.BOOLEAN,
          LogicalTypeRoot.INTEGER,
          LogicalTypeRoot.BIGINT,
          LogicalTypeRoot.DOUBLE,
          LogicalTypeRoot.DECIMAL,
          LogicalTypeRoot.VARCHAR,
          LogicalTypeRoot.DATE,
          LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE);

  private final CsvDialect dialect;
  private final FileColumns columns;

  /**
   * Rows of these columns.
   *
   * @param rowType the files' columns, and the order column as the last one if {@code ordered}
   */
  public CsvRows(CsvDialect dialect, RowType rowType, boolean ordered) {
    this.dialect = dialect;
    this.columns = new FileColumns(rowType, ordered);
  }

  @Override
  public RowType rowType() {
    return columns.rowType();
  }

  @Override
  public Reader open(Path file, int index) throws IOException {
    Records records = new Records(file, index);
    InputStream bytes = CsvDialect.bytes(file);
    try {
      if (!records.open(dialect, bytes)) {
        throw new MalformedFileException(
            file.getFileName() + " is empty: it has not even a header");
      }
    } catch (IOException e) {
      bytes.close();
      throw e;
    }
    return new Reader() {
      @Override
      public RowData read() throws IOException {
        return records.read();
      }

      @Override
      public boolean skip() throws IOException {
        return records.skip();
      }

      @Override
      public void close() throws IOException {
        records.close();
      }
    };
  }

  @Override
  public boolean skipsCheaply() {
    return true;
  }

  private final class Records extends CsvRecords<RowData> {
    private final int index;
    private final FieldText text = new FieldText();
    private final BinaryRowData row = new BinaryRowData(columns.rowType().getFieldCount());
    private final BinaryRowWriter writer = new BinaryRowWriter(row);
    private final LogicalType[] types = new LogicalType[columns.count()];
    private int[] positions = new int[0];
    private byte[] utf8 = new byte[256];
    private long read;
    private boolean skipping;

    Records(Path file, int index) {
      super(file);
      this.index = index;
    }

    /** The next record, whose fields are not looked at unless it had been read ahead. */
    boolean skip() throws IOException {
      skipping = true;
      try {
        return read() != null;
      } finally {
        skipping = false;
      }
    }

    @Override
    void header(List<String> names) throws MalformedFileException {
      positions = CsvInference.positions(columns.names(), names, file());
      for (int i = 0; i < types.length; i++) {
        types[i] = columns.rowType().getTypeAt(positions[i]);
      }
      writer.reset();
    }

    @Override
    void field(int column, char[] buffer, int offset, int length) {
      if (skipping) {
        return;
      }
      int position = positions[column];
      if (dialect.nulls().matches(buffer, offset, length)) {
        writer.setNullAt(position);
        return;
      }
      LogicalType type = types[column];
      boolean fits =
          switch (type.getTypeRoot()) {
            case VARCHAR -> writeString(position, buffer, offset, length);
            case BIGINT -> {
              boolean parsed = text.parseLong(buffer, offset, length);
              writer.writeLong(position, text.longValue());
              yield parsed;
            }
            case INTEGER -> {
              boolean parsed = text.parseLong(buffer, offset, length);
              writer.writeInt(position, (int) text.longValue());
              yield parsed && text.longValue() == (int) text.longValue();
            }
            case DOUBLE -> {
              boolean parsed = text.parseDouble(buffer, offset, length);
              writer.writeDouble(position, text.doubleValue());
              yield parsed;
            }
            case BOOLEAN -> {
              boolean parsed = text.parseBoolean(buffer, offset, length);
              writer.writeBoolean(position, text.booleanValue());
              yield parsed;
            }
            default -> writeDeclared(position, type, new String(buffer, offset, length).strip());
          };
      if (!fits) {
        throw new UncheckedIOException(
            malformed(
                columns.names().get(position)
                    + " is '"
                    + shown(buffer, offset, length)
                    + "', but must be "
                    + type.asSummaryString()));
      }
    }

    private boolean writeDeclared(int position, LogicalType type, String value) {
      try {
        switch (type.getTypeRoot()) {
          case DECIMAL -> {
            DecimalType decimal = (DecimalType) type;
            DecimalData data =
                DecimalData.fromBigDecimal(
                    new java.math.BigDecimal(value), decimal.getPrecision(), decimal.getScale());
            if (data == null) {
              return false;
            }
            writer.writeDecimal(position, data, decimal.getPrecision());
          }
          case DATE -> writer.writeInt(position, (int) LocalDate.parse(value).toEpochDay());
          case TIMESTAMP_WITHOUT_TIME_ZONE ->
              writer.writeTimestamp(
                  position,
                  TimestampData.fromLocalDateTime(dateTime(value)),
                  ((TimestampType) type).getPrecision());
          default -> throw new IllegalStateException("no reading of " + type);
        }
        return true;
      } catch (DateTimeException | NumberFormatException e) {
        return false;
      }
    }

    private boolean writeString(int position, char[] buffer, int offset, int length) {
      if (utf8.length < length) {
        utf8 = new byte[Math.max(length, utf8.length * 2)];
      }
      for (int i = 0; i < length; i++) {
        char c = buffer[offset + i];
        if (c >= 0x80) {
          byte[] bytes = new String(buffer, offset, length).getBytes(StandardCharsets.UTF_8);
          writer.writeString(position, BinaryStringData.fromBytes(bytes));
          return true;
        }
        utf8[i] = (byte) c;
      }
      writer.writeString(position, BinaryStringData.fromBytes(utf8, 0, length));
      return true;
    }

    @Override
    RowData record(int fields) {
      if (skipping) {
        read++;
        return row;
      }
      for (int i = fields; i < positions.length; i++) {
        writer.setNullAt(positions[i]);
      }
      if (columns.ordered()) {
        writer.writeLong(columns.count(), RowFormat.order(index, read));
      }
      read++;
      writer.complete();
      BinaryRowData copy = row.copy();
      writer.reset();
      return copy;
    }
  }

  /** {@code 2026-01-31}, {@code 2026-01-31 10:00}, {@code 2026-01-31T10:00:00.5}. */
  private static LocalDateTime dateTime(String value) {
    return value.length() <= 10
        ? LocalDateTime.of(LocalDate.parse(value), LocalTime.MIDNIGHT)
        : LocalDateTime.parse(value.replace(' ', 'T'));
  }

  private static String shown(char[] buffer, int offset, int length) {
    return length <= 80
        ? new String(buffer, offset, length)
        : new String(buffer, offset, 80) + "...";
  }
}
