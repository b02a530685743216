package io.millrace.transform.sql;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * Splits a query by the values of a column into queries that can run side by side. Bounds only say
 * where to cut: what lies beyond them is in the first and the last part, and nulls are in the
 * first.
 */
public final class Partitions {
  private static final String FIRST_DAY = "1970-01-01";

  private final String column;
  private final LogicalTypeRoot type;

  /**
   * By that column.
   *
   * @throws IllegalArgumentException in one line when values of that type are not split
   */
  public Partitions(String column, LogicalType type) {
    this.column = column;
    this.type = type.getTypeRoot();
    switch (this.type) {
      case SMALLINT, INTEGER, BIGINT, DATE -> {}
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> {}
      default ->
          throw new IllegalArgumentException(
              "partition_column '"
                  + column
                  + "' is "
                  + type.copy(true).asSummaryString()
                  + ", but must be an integer, a date or a timestamp");
    }
  }

  /**
   * A bound as a number: the integer, days or microseconds since 1970 in UTC.
   *
   * @throws IllegalArgumentException in one line
   */
  public long bound(String parameter, String text) {
    try {
      return switch (type) {
        case DATE -> LocalDate.parse(text).toEpochDay();
        case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> {
          LocalDateTime time =
              text.length() <= FIRST_DAY.length()
                  ? LocalDate.parse(text).atStartOfDay()
                  : LocalDateTime.parse(text.replace(' ', 'T'));
          yield ChronoUnit.MICROS.between(
              LocalDate.EPOCH.atStartOfDay(), time.atOffset(ZoneOffset.UTC).toLocalDateTime());
        }
        default -> Long.parseLong(text);
      };
    } catch (DateTimeException | ArithmeticException | NumberFormatException e) {
      String wanted =
          switch (type) {
            case DATE -> "a date such as 2026-01-31";
            case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
                "a time in UTC such as 2026-01-31 10:00:00";
            default -> "a whole number";
          };
      throw new IllegalArgumentException(
          parameter + " is '" + text + "', but must be " + wanted + ", as " + column + " is");
    }
  }

  /** The least and the greatest value in the answer; null when there is none. */
  @Nullable
  public long[] ask(SqlQuery query) throws IOException {
    String value =
        switch (type) {
          case DATE -> "(%s(%s) - DATE '" + FIRST_DAY + "')::bigint";
          case TIMESTAMP_WITHOUT_TIME_ZONE -> "(extract(epoch FROM %s(%s)) * 1000000)::bigint";
          case TIMESTAMP_WITH_LOCAL_TIME_ZONE -> "(extract(epoch FROM %s(%s)) * 1000000)::bigint";
          default -> "%s(%s)::bigint";
        };
    String sql =
        "SELECT "
            + value.formatted("min", quoted())
            + ", "
            + value.formatted("max", quoted())
            + " FROM ("
            + query.sql()
            + ") AS millrace";
    try (Connection connection = query.address().connect(query.timeout());
        Statement statement = query.statement(connection);
        ResultSet bounds = statement.executeQuery(sql)) {
      bounds.next();
      long min = bounds.getLong(1);
      boolean none = bounds.wasNull();
      return none ? null : new long[] {min, bounds.getLong(2)};
    } catch (SQLException e) {
      throw SqlQuery.failure(e);
    }
  }

  /** Queries that together give each row of the query once; at most so many. */
  public List<String> split(String sql, long lower, long upper, int parts) {
    List<String> queries = new ArrayList<>();
    List<Long> cuts = cuts(lower, upper, parts);
    for (int i = 0; i <= cuts.size(); i++) {
      String from = i == 0 ? "" : quoted() + " >= " + literal(cuts.get(i - 1));
      String to = i == cuts.size() ? "" : quoted() + " < " + literal(cuts.get(i));
      String where =
          cuts.isEmpty()
              ? "TRUE"
              : i == 0
                  ? to + " OR " + quoted() + " IS NULL"
                  : to.isEmpty() ? from : from + " AND " + to;
      queries.add("SELECT * FROM (" + sql + ") AS millrace WHERE " + where);
    }
    return queries;
  }

  /** Values between the bounds at which to cut, ascending; none when there is nothing between. */
  private static List<Long> cuts(long lower, long upper, int parts) {
    List<Long> cuts = new ArrayList<>();
    // The span may be greater than a long.
    double span = (double) upper - (double) lower + 1;
    long last = lower;
    for (int i = 1; i < parts; i++) {
      long cut =
          span < (1L << 52)
              ? lower + (upper - lower + 1) * i / parts
              : (long) ((double) lower + span * i / parts);
      if (cut > last) {
        cuts.add(cut);
        last = cut;
      }
    }
    return cuts;
  }

  private String literal(long value) {
    return switch (type) {
      case DATE -> "DATE '" + FIRST_DAY + "' + (" + value + ")";
      case TIMESTAMP_WITHOUT_TIME_ZONE ->
          "TIMESTAMP '" + FIRST_DAY + "' + (" + value + ") * INTERVAL '1 microsecond'";
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          "TIMESTAMPTZ '"
              + FIRST_DAY
              + " 00:00:00+00' + ("
              + value
              + ") * INTERVAL '1 microsecond'";
      default -> "(" + value + ")";
    };
  }

  private String quoted() {
    return "\"" + column.replace("\"", "\"\"") + "\"";
  }
}
