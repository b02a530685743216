package io.millrace.transform.sql;

import java.io.IOException;
import java.io.Serializable;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * A query of a database, as it travels with a job.
 *
 * @param sql one SELECT, as {@link ReadOnlyQuery} has it
 * @param fetchRows how many rows a reader holds at a time
 */
public record SqlQuery(SqlAddress address, String sql, Duration timeout, int fetchRows)
    implements Serializable {

  /** The columns of the answer. */
  public record Columns(List<String> names, List<LogicalType> types) {
    public Columns {
      names = List.copyOf(names);
      types = List.copyOf(types);
    }
  }

  /**
   * Asks for the columns, without rows.
   *
   * @throws IOException in one line
   */
  public Columns columns() throws IOException {
    try (Connection connection = address.connect(timeout);
        Statement statement = statement(connection);
        ResultSet none =
            statement.executeQuery("SELECT * FROM (" + sql + ") AS millrace LIMIT 0")) {
      ResultSetMetaData columns = none.getMetaData();
      List<String> names = new ArrayList<>();
      List<LogicalType> types = new ArrayList<>();
      for (int i = 1; i <= columns.getColumnCount(); i++) {
        String name = columns.getColumnLabel(i);
        if (names.contains(name)) {
          throw new IOException(
              "the query gives two columns '" + name + "'; rename one of them with AS");
        }
        names.add(name);
        types.add(SqlColumn.type(columns, i));
      }
      if (names.isEmpty()) {
        throw new IOException("the query gives no columns");
      }
      return new Columns(names, types);
    } catch (SQLException e) {
      throw failure(e);
    }
  }

  /** A statement whose answers come piece by piece. */
  Statement statement(Connection connection) throws SQLException {
    Statement statement = connection.createStatement();
    statement.setEscapeProcessing(false);
    statement.setFetchSize(fetchRows);
    return statement;
  }

  /** What the server says, in one line. */
  static IOException failure(SQLException e) {
    String message = e.getMessage() == null ? "" : e.getMessage().strip();
    return new IOException(
        "the query fails: "
            + message.lines().findFirst().orElse("")
            + " (SQLSTATE "
            + e.getSQLState()
            + ")");
  }
}
