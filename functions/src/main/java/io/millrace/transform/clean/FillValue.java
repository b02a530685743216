package io.millrace.transform.clean;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.call;
import static org.apache.flink.table.api.Expressions.lit;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.function.RequireValue;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.annotation.Nullable;
import org.apache.flink.table.api.ApiExpression;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** Fills nulls with one value, which has to be of the columns' types. */
final class FillValue {
  private FillValue() {}

  /**
   * A value as a column can take it.
   *
   * @param type the type that the column then has
   */
  private record Fitted(Object value, DataType type) {}

  /**
   * Fills. A column that the value does not fit is an error; among all columns it is one only when
   * a null of it is met.
   */
  @Nullable
  static Rows lower(Step step, Rows rows, List<String> columns, boolean all, JsonNode value) {
    List<Expression> select = new ArrayList<>();
    boolean fits = true;
    for (String column : rows.all()) {
      if (!columns.contains(column) || !rows.type(column).getLogicalType().isNullable()) {
        select.add($(column));
        continue;
      }
      LogicalType type = rows.type(column).getLogicalType();
      Fitted fitted = fit(value, type, rows.type(column));
      if (fitted != null) {
        ApiExpression literal = lit(fitted.value()).cast(fitted.type().notNull());
        select.add($(column).cast(fitted.type()).ifNull(literal).as(column));
        continue;
      }
      String message =
          "fill_value is '"
              + value.asText()
              + "', which does not fit column '"
              + column
              + "' of type "
              + ColumnKind.name(type);
      if (all) {
        select.add(
            call(
                    new RequireValue(
                        "step '" + step.id() + "': " + message + ", and a null is there"),
                    $(column))
                .as(column));
      } else {
        step.error("fill_value", message);
        fits = false;
      }
    }
    return fits ? rows.with(rows.table().select(select.toArray(Expression[]::new))) : null;
  }

  @Nullable
  private static Fitted fit(JsonNode value, LogicalType type, DataType column) {
    return switch (ColumnKind.of(type)) {
      case INTEGER -> value.isNumber() ? fitInteger(value.decimalValue(), type, column) : null;
      case FLOATING -> value.isNumber() ? new Fitted(value.doubleValue(), column) : null;
      case DECIMAL -> value.isNumber() ? fitDecimal(value.decimalValue(), type, column) : null;
      case BOOLEAN -> value.isBoolean() ? new Fitted(value.booleanValue(), column) : null;
      case TEXT -> value.isTextual() ? fitText(value.asText(), type, column) : null;
      case TEMPORAL -> value.isTextual() ? fitTime(value.asText(), type, column) : null;
      case OTHER -> null;
    };
  }

  @Nullable
  private static Fitted fitInteger(BigDecimal value, LogicalType type, DataType column) {
    if (value.stripTrailingZeros().scale() > 0) {
      return new Fitted(value.doubleValue(), DataTypes.DOUBLE());
    }
    int bits =
        switch (type.getTypeRoot()) {
          case TINYINT -> 8;
          case SMALLINT -> 16;
          case INTEGER -> 32;
          default -> 64;
        };
    return value.toBigInteger().bitLength() < bits ? new Fitted(value.longValue(), column) : null;
  }

  @Nullable
  private static Fitted fitDecimal(BigDecimal value, LogicalType type, DataType column) {
    DecimalType decimal = (DecimalType) type;
    BigDecimal plain = value.stripTrailingZeros();
    boolean fits =
        plain.scale() <= decimal.getScale()
            && plain.precision() - plain.scale() <= decimal.getPrecision() - decimal.getScale();
    return fits ? new Fitted(value, column) : null;
  }

  @Nullable
  private static Fitted fitText(String text, LogicalType type, DataType column) {
    return text.length() <= LogicalTypeChecks.getLength(type) ? new Fitted(text, column) : null;
  }

  /** ISO dates and times; a date alone is its midnight, and a time without a zone is UTC. */
  @Nullable
  private static Fitted fitTime(String text, LogicalType type, DataType column) {
    try {
      String iso = text.strip().replace(' ', 'T').toUpperCase(Locale.ROOT);
      return switch (type.getTypeRoot()) {
        case DATE -> new Fitted(LocalDate.parse(iso), column);
        case TIME_WITHOUT_TIME_ZONE -> new Fitted(LocalTime.parse(iso), column);
        case TIMESTAMP_WITHOUT_TIME_ZONE ->
            new Fitted(LocalDateTime.parse(iso.contains("T") ? iso : iso + "T00:00:00"), column);
        default -> {
          String time = iso.contains("T") ? iso : iso + "T00:00:00";
          yield new Fitted(Instant.parse(time.endsWith("Z") ? time : time + "Z"), column);
        }
      };
    } catch (DateTimeException e) {
      return null;
    }
  }
}
