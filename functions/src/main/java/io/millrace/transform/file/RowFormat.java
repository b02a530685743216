package io.millrace.transform.file;

import java.io.Closeable;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import javax.annotation.Nullable;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** How files of one kind are read as rows; travels with the job. */
public interface RowFormat extends Serializable {
  /** The rows' columns, the order column last if there is one. */
  RowType rowType();

  /**
   * Opens a file.
   *
   * @param index the file's place among all files
   */
  Reader open(Path file, int index) throws IOException;

  /**
   * Whether most of what a row costs is saved by {@link Reader#skip}, so that several readers may
   * share the rows of one file, though each goes through all of it.
   */
  default boolean skipsCheaply() {
    return false;
  }

  /** Reads one file from its start to its end. */
  interface Reader extends Closeable {
    /** The next row, which is not changed any more; null at the end. */
    @Nullable
    RowData read() throws IOException;

    /** Passes over the next row; false at the end. */
    default boolean skip() throws IOException {
      return read() != null;
    }
  }

  /** The value of a row's order column: rows by file, then as they stand in it, from 0. */
  static long order(int file, long row) {
    return (long) file << 40 | row;
  }
}
