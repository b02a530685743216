package io.millrace.transform.keyed;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Comparator;
import javax.annotation.Nullable;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** The values of one column of internal rows: as numbers, and as texts that can be read again. */
final class ColumnValues implements Serializable {
  private static final long serialVersionUID = 1L;

  private final LogicalType type;
  private final RowData.FieldGetter getter;

  ColumnValues(int position, LogicalType type) {
    this.type = type;
    this.getter = RowData.createFieldGetter(type, position);
  }

  /** The internal value; null where it is missing. */
  @Nullable
  Object of(RowData row) {
    return getter.getFieldOrNull(row);
  }

  /** A number's value. */
  double number(Object value) {
    return value instanceof DecimalData decimal
        ? decimal.toBigDecimal().doubleValue()
        : ((Number) value).doubleValue();
  }

  /** A number as a value of a column of that type; whole numbers are for DOUBLE only. */
  static Object ofNumber(double number, LogicalType type) {
    return switch (type.getTypeRoot()) {
      case DOUBLE -> number;
      case FLOAT -> (float) number;
      case DECIMAL -> {
        DecimalType decimal = (DecimalType) type;
        yield DecimalData.fromBigDecimal(
            BigDecimal.valueOf(number).setScale(decimal.getScale(), RoundingMode.HALF_UP),
            decimal.getPrecision(),
            decimal.getScale());
      }
      default -> throw new IllegalArgumentException("no number becomes " + type);
    };
  }

  /** The value as text that {@link #read} takes. */
  String text(Object value) {
    if (value instanceof DecimalData decimal) {
      return decimal.toBigDecimal().toPlainString();
    } else if (value instanceof TimestampData time) {
      return time.getMillisecond() + " " + time.getNanoOfMillisecond();
    }
    return value.toString();
  }

  Object read(String text) {
    return switch (type.getTypeRoot()) {
      case TINYINT -> Byte.valueOf(text);
      case SMALLINT -> Short.valueOf(text);
      case INTEGER, DATE, TIME_WITHOUT_TIME_ZONE -> Integer.valueOf(text);
      case BIGINT -> Long.valueOf(text);
      case FLOAT -> Float.valueOf(text);
      case DOUBLE -> Double.valueOf(text);
      case BOOLEAN -> Boolean.valueOf(text);
      case CHAR, VARCHAR -> StringData.fromString(text);
      case DECIMAL ->
          DecimalData.fromBigDecimal(
              new BigDecimal(text),
              LogicalTypeChecks.getPrecision(type),
              LogicalTypeChecks.getScale(type));
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> {
        String[] parts = text.split(" ", -1);
        yield TimestampData.fromEpochMillis(Long.parseLong(parts[0]), Integer.parseInt(parts[1]));
      }
      default -> throw new IllegalArgumentException("no value of " + type + " is counted");
    };
  }

  /** The order of values, all of one type, whose internal form is comparable. */
  @SuppressWarnings("unchecked")
  static Comparator<Object> order() {
    return (a, b) -> ((Comparable<Object>) a).compareTo(b);
  }
}
