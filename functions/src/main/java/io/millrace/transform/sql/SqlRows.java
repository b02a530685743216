package io.millrace.transform.sql;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Iterator;
import java.util.NoSuchElementException;
import javax.annotation.Nullable;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** The rows of one query, fetched piece by piece in the order in which the database gives them. */
final class SqlRows implements Iterator<RowData>, Closeable {
  private static final int INDEX_SHIFT = 40;

  private final SqlSource source;
  private final int index;
  private long read;
  @Nullable private Connection connection;
  @Nullable private Statement statement;
  @Nullable private ResultSet rows;
  @Nullable private RowData next;
  private boolean ended;

  SqlRows(SqlSource source, int index, long skip) {
    this.source = source;
    this.index = index;
    try {
      SqlQuery query = source.query();
      connection = query.address().connect(query.timeout());
      statement = query.statement(connection);
      rows = statement.executeQuery(source.queries().get(index));
      while (read < skip && rows.next()) {
        read++;
      }
    } catch (SQLException e) {
      throw failed(SqlQuery.failure(e));
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private UncheckedIOException failed(IOException e) {
    try {
      close();
    } catch (IOException closing) {
      e.addSuppressed(closing);
    }
    return new UncheckedIOException(e);
  }

  /** How many rows have been handed out, skipped ones among them. */
  long read() {
    return read;
  }

  @Override
  public boolean hasNext() {
    if (next == null && !ended) {
      try {
        if (rows.next()) {
          next = row();
        } else {
          ended = true;
          close();
        }
      } catch (SQLException e) {
        throw failed(SqlQuery.failure(e));
      } catch (IOException e) {
        throw failed(e);
      }
    }
    return next != null;
  }

  @Override
  public RowData next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    RowData row = next;
    next = null;
    read++;
    return row;
  }

  private RowData row() throws SQLException, IOException {
    RowType type = source.rowType();
    int columns = type.getFieldCount() - (source.ordered() ? 1 : 0);
    GenericRowData row = new GenericRowData(type.getFieldCount());
    for (int i = 0; i < columns; i++) {
      row.setField(i, SqlColumn.value(rows, i + 1, type.getTypeAt(i)));
    }
    if (source.ordered()) {
      row.setField(columns, (long) index << INDEX_SHIFT | read);
    }
    return row;
  }

  @Override
  public void close() throws IOException {
    try (Connection closing = connection;
        Statement asked = statement) {
      connection = null;
      statement = null;
    } catch (SQLException e) {
      throw new IOException("the connection is not closed (SQLSTATE " + e.getSQLState() + ")");
    }
  }
}
