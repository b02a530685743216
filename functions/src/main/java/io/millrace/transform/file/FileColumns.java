package io.millrace.transform.file;

import java.io.Serializable;
import java.util.List;
import org.apache.flink.table.types.logical.RowType;

/**
 * The columns of rows that are read from files.
 *
 * @param rowType the files' columns, and the order column as the last one if {@code ordered}
 */
record FileColumns(RowType rowType, boolean ordered) implements Serializable {
  private static final long serialVersionUID = 1L;

  /** How many columns the files have; also the position of the order column. */
  int count() {
    return rowType.getFieldCount() - (ordered ? 1 : 0);
  }

  /** The names of the files' columns. */
  List<String> names() {
    return rowType.getFieldNames().subList(0, count());
  }
}
