package io.millrace.transform.sql;

import java.io.Serializable;
import org.apache.flink.api.connector.source.lib.util.IteratorSourceSplit;
import org.apache.flink.table.data.RowData;

/**
 * One of the queries that a reader is given.
 *
 * @param index its place among them
 * @param skip rows that had been sent when the reader was stopped
 */
record SqlSplit(SqlSource source, int index, long skip)
    implements IteratorSourceSplit<RowData, SqlRows>, Serializable {
  @Override
  public String splitId() {
    return Integer.toString(index);
  }

  @Override
  public SqlRows getIterator() {
    return new SqlRows(source, index, skip);
  }

  @Override
  public SqlSplit getUpdatedSplitForIterator(SqlRows rows) {
    return new SqlSplit(source, index, rows.read());
  }
}
