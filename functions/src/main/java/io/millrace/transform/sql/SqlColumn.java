package io.millrace.transform.sql;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.concurrent.TimeUnit;
import javax.annotation.Nullable;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.DateType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.FloatType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.SmallIntType;
import org.apache.flink.table.types.logical.TimeType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * Types of PostgreSQL as Flink's, and values in Flink's internal form. {@code numeric} without
 * precision is DECIMAL(38, 18); times of day end at milliseconds; what Flink has not is text.
 */
final class SqlColumn {
  private static final int MICROS = 6;
  private static final int MILLIS = 3;
  private static final int MAX_PRECISION = 38;
  private static final int UNSAID_SCALE = 18;

  private SqlColumn() {}

  /**
   * The type of a column.
   *
   * @throws IOException in one line when its values cannot be held
   */
  static LogicalType type(ResultSetMetaData columns, int i) throws SQLException, IOException {
    String name = columns.getColumnTypeName(i);
    if (name.equals("numeric")) {
      int precision = columns.getPrecision(i);
      int scale = columns.getScale(i);
      if (precision == 0) {
        return new DecimalType(MAX_PRECISION, UNSAID_SCALE);
      }
      if (precision > MAX_PRECISION || scale < 0 || scale > precision) {
        throw new IOException(
            "the column '"
                + columns.getColumnLabel(i)
                + "' is numeric("
                + precision
                + ", "
                + scale
                + "), but at most 38 digits are held; cast it in the query");
      }
      return new DecimalType(precision, scale);
    }
    if (name.startsWith("_")) {
      LogicalType element = plain(name.substring(1));
      boolean kept = !(element instanceof VarBinaryType) && !(element instanceof TimeType);
      return kept ? new ArrayType(element) : text();
    }
    return plain(name);
  }

  private static LogicalType plain(String name) {
    return switch (name) {
      case "bool" -> new BooleanType();
      case "int2", "smallserial" -> new SmallIntType();
      case "int4", "serial" -> new IntType();
      case "int8", "bigserial", "oid" -> new BigIntType();
      case "float4" -> new FloatType();
      case "float8" -> new DoubleType();
      case "numeric" -> new DecimalType(MAX_PRECISION, UNSAID_SCALE);
      case "bytea" -> new VarBinaryType(VarBinaryType.MAX_LENGTH);
      case "date" -> new DateType();
      case "time" -> new TimeType(MILLIS);
      case "timestamp" -> new TimestampType(MICROS);
      case "timestamptz" -> new LocalZonedTimestampType(MICROS);
      default -> text();
    };
  }

  private static LogicalType text() {
    return new VarCharType(VarCharType.MAX_LENGTH);
  }

  /**
   * A value of the current row.
   *
   * @throws IOException in one line when the type cannot hold it
   */
  @Nullable
  static Object value(ResultSet row, int i, LogicalType type) throws SQLException, IOException {
    Object value =
        switch (type.getTypeRoot()) {
          case VARCHAR -> row.getString(i);
          case BOOLEAN -> row.getBoolean(i);
          case SMALLINT -> row.getShort(i);
          case INTEGER -> row.getInt(i);
          case BIGINT -> row.getLong(i);
          case FLOAT -> row.getFloat(i);
          case DOUBLE -> row.getDouble(i);
          case VARBINARY -> row.getBytes(i);
          case DATE -> row.getObject(i, LocalDate.class);
          case TIME_WITHOUT_TIME_ZONE -> row.getObject(i, LocalTime.class);
          case TIMESTAMP_WITHOUT_TIME_ZONE -> row.getObject(i, LocalDateTime.class);
          case TIMESTAMP_WITH_LOCAL_TIME_ZONE -> row.getObject(i, OffsetDateTime.class);
          case DECIMAL -> decimal(row, i);
          case ARRAY -> row.getArray(i);
          default -> throw new IllegalStateException("no reading of " + type);
        };
    if (value == null || row.wasNull()) {
      return null;
    }
    if (value instanceof Array array) {
      return array(row, i, array, ((ArrayType) type).getElementType());
    }
    return internal(value, type, row, i);
  }

  /** {@code NaN} and infinities are numbers of PostgreSQL, but not of a DECIMAL. */
  @Nullable
  private static Object decimal(ResultSet row, int i) throws SQLException, IOException {
    Object value = row.getObject(i);
    if (value instanceof Double number) {
      throw misfit(row, i, number.toString(), "numeric");
    }
    return value;
  }

  private static Object array(ResultSet row, int i, Array array, LogicalType element)
      throws SQLException, IOException {
    Object[] values = (Object[]) array.getArray();
    Object[] converted = new Object[values.length];
    for (int k = 0; k < values.length; k++) {
      if (values[k] instanceof Object[]) {
        throw misfit(row, i, "an array of arrays", "an array");
      }
      converted[k] = values[k] == null ? null : internal(modern(values[k]), element, row, i);
    }
    array.free();
    return new GenericArrayData(converted);
  }

  /** Elements of arrays come in the types of old. */
  private static Object modern(Object value) {
    if (value instanceof java.sql.Timestamp timestamp) {
      return timestamp;
    } else if (value instanceof java.sql.Date date) {
      return date.toLocalDate();
    }
    return value;
  }

  private static Object internal(Object value, LogicalType type, ResultSet row, int i)
      throws SQLException, IOException {
    switch (type.getTypeRoot()) {
      case VARCHAR -> {
        return StringData.fromString(value.toString());
      }
      case DATE -> {
        LocalDate date = (LocalDate) value;
        if (date.equals(LocalDate.MAX) || date.equals(LocalDate.MIN)) {
          throw misfit(row, i, "infinity", "DATE");
        }
        return (int) date.toEpochDay();
      }
      case TIME_WITHOUT_TIME_ZONE -> {
        return (int) TimeUnit.NANOSECONDS.toMillis(((LocalTime) value).toNanoOfDay());
      }
      case TIMESTAMP_WITHOUT_TIME_ZONE -> {
        if (value instanceof java.sql.Timestamp timestamp) {
          return TimestampData.fromLocalDateTime(timestamp.toLocalDateTime());
        }
        LocalDateTime time = (LocalDateTime) value;
        if (time.equals(LocalDateTime.MAX) || time.equals(LocalDateTime.MIN)) {
          throw misfit(row, i, "infinity", "TIMESTAMP");
        }
        return TimestampData.fromLocalDateTime(time);
      }
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE -> {
        if (value instanceof java.sql.Timestamp timestamp) {
          return TimestampData.fromInstant(timestamp.toInstant());
        }
        OffsetDateTime time = (OffsetDateTime) value;
        if (time.equals(OffsetDateTime.MAX) || time.equals(OffsetDateTime.MIN)) {
          throw misfit(row, i, "infinity", "TIMESTAMP_LTZ");
        }
        return TimestampData.fromInstant(time.toInstant());
      }
      case DECIMAL -> {
        DecimalType decimal = (DecimalType) type;
        BigDecimal number = (BigDecimal) value;
        DecimalData data =
            DecimalData.fromBigDecimal(
                number.setScale(decimal.getScale(), RoundingMode.HALF_UP),
                decimal.getPrecision(),
                decimal.getScale());
        if (data == null) {
          throw misfit(row, i, number.toString(), type.asSummaryString());
        }
        return data;
      }
      case SMALLINT -> {
        return ((Number) value).shortValue();
      }
      default -> {
        return value;
      }
    }
  }

  private static IOException misfit(ResultSet row, int i, String value, String type)
      throws SQLException {
    return new IOException(
        "the column '"
            + row.getMetaData().getColumnLabel(i)
            + "' has "
            + value
            + ", which "
            + type
            + " cannot hold here; cast it in the query");
  }
}
