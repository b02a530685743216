package io.millrace.job.engagement;

import io.millrace.event.LiveRollup;
import io.millrace.job.engagement.EngagementConfig.Jdbc;
import io.millrace.lake.catalog.Column;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.connector.jdbc.JdbcStatementBuilder;

/**
 * A PostgreSQL table of the present value of every cell, which becomes the final one and stays.
 *
 * <p>A row that is final is not changed by one that is not, so that what a restarted job sends
 * again does no harm. A cell that is retired stays when it has become final, and goes when it has
 * not: then it was folded into another one.
 */
final class LiveRollupTable {
  private static final String ID = "cell_id";

  private final String prefix;
  private final List<Column> columns;

  LiveRollupTable(String prefix, List<Column> columns) {
    this.prefix = prefix;
    this.columns = List.copyOf(columns);
  }

  private String table() {
    return quoted(prefix + "rollups_live");
  }

  /** The statements that make the table, and a view of it for each length of window. */
  String ddl() {
    String body =
        columns.stream()
            .map(c -> "  " + quoted(c.name()) + " " + type(c) + (c.required() ? " NOT NULL" : ""))
            .collect(Collectors.joining(",\n"));
    return "CREATE TABLE IF NOT EXISTS "
        + table()
        + " (\n  "
        + quoted(ID)
        + " uuid PRIMARY KEY,\n"
        + body
        + "\n);\n\nCREATE INDEX IF NOT EXISTS "
        + quoted(prefix + "rollups_live_by_window")
        + " ON "
        + table()
        + " (\"window_start\", \"window\");\n"
        + view("hourly", "hour")
        + view("daily", "day");
  }

  private String view(String span, String window) {
    return "\nCREATE OR REPLACE VIEW "
        + quoted(prefix + span + "_aggregates_with_dimensions")
        + " AS\nSELECT\n"
        + columns.stream()
            .filter(c -> !c.name().equals("window"))
            .map(c -> "  " + quoted(c.name()))
            .collect(Collectors.joining(",\n"))
        + "\nFROM "
        + table()
        + "\nWHERE \"window\" = '"
        + window
        + "';\n";
  }

  /**
   * One statement for every record: whether it is retired decides which half of it does anything.
   */
  String upsert() {
    String names = columns.stream().map(c -> quoted(c.name())).collect(Collectors.joining(", "));
    String values = columns.stream().map(c -> "?::" + type(c)).collect(Collectors.joining(", "));
    String changes =
        columns.stream()
            .map(c -> quoted(c.name()) + " = EXCLUDED." + quoted(c.name()))
            .collect(Collectors.joining(", "));
    return "WITH folded AS (DELETE FROM %1$s WHERE \"%2$s\" = ? AND ?::boolean AND NOT \"final\")"
            .formatted(table(), ID)
        + " INSERT INTO %s AS present (\"%s\", %s)".formatted(table(), ID, names)
        + " SELECT ?::uuid, %s WHERE NOT ?::boolean".formatted(values)
        + " ON CONFLICT (\"%s\") DO UPDATE SET %s".formatted(ID, changes)
        + " WHERE NOT present.\"final\" OR EXCLUDED.\"final\"";
  }

  /** Writes into the database, at least once. */
  Sink<LiveRollup> sink(Jdbc jdbc) {
    return new PostgresSink<>(jdbc, upsert(), new Parameters(columns));
  }

  /**
   * Asks the database to plan the statement, which it refuses when the table, a column or a right
   * is missing.
   *
   * @throws IllegalStateException in one line that says what is missing, or why nobody can ask
   */
  void verify(Jdbc jdbc) {
    try (Connection connection = PostgresSink.connect(jdbc)) {
      verify(jdbc, connection);
    } catch (SQLException e) {
      throw new IllegalStateException(e.getMessage(), e);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(PostgresSink.problem(jdbc, e), e);
    }
  }

  private void verify(Jdbc jdbc, Connection connection) {
    try (PreparedStatement explain = connection.prepareStatement("EXPLAIN " + upsert())) {
      for (int i = 1; i <= explain.getParameterMetaData().getParameterCount(); i++) {
        explain.setNull(i, Types.NULL);
      }
      explain.executeQuery().close();
    } catch (SQLException e) {
      throw new IllegalStateException(
          PostgresSink.problem(jdbc, e) + " (sql/ddl/postgres.sql makes the table)", e);
    }
  }

  private static String type(Column column) {
    return switch (column.type().kind()) {
      case STRING -> "text";
      case LONG -> "bigint";
      case DOUBLE -> "double precision";
      case BOOLEAN -> "boolean";
      case TIMESTAMP -> "timestamptz";
      case INT, BINARY, MAP, ARRAY, STRUCT ->
          throw new IllegalArgumentException("no column of type " + column.type().hive());
    };
  }

  private static String quoted(String name) {
    return '"' + name + '"';
  }

  /** Sets the parameters of the statement. */
  private record Parameters(List<Column> columns) implements JdbcStatementBuilder<LiveRollup> {
    @Override
    public void accept(PreparedStatement statement, LiveRollup live) throws SQLException {
      // A digest, because an index takes no more than 2,700 bytes and values may be longer.
      UUID id = UUID.nameUUIDFromBytes(LiveRow.key(columns, live));
      int next = 1;
      statement.setObject(next++, id);
      statement.setBoolean(next++, live.retired());
      statement.setObject(next++, id);
      for (Object value : LiveRow.values(live)) {
        set(statement, next++, value);
      }
      statement.setBoolean(next, live.retired());
    }

    private static void set(PreparedStatement statement, int index, @Nullable Object value)
        throws SQLException {
      if (value == null) {
        statement.setNull(index, Types.DOUBLE);
      } else if (value instanceof Instant instant) {
        statement.setObject(index, instant.atOffset(ZoneOffset.UTC));
      } else if (value instanceof String text) {
        // PostgreSQL has no text with this character.
        statement.setString(index, text.replace('\0', '\uFFFD'));
      } else {
        statement.setObject(index, value);
      }
    }
  }
}
