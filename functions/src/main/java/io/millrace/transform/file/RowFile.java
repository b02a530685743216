package io.millrace.transform.file;

import java.io.Closeable;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import org.apache.flink.table.data.RowData;

/** A file that rows are being written to. */
public interface RowFile extends Closeable {
  void write(RowData row) throws IOException;

  /** Writes what ends the file; without it, the file is not one. */
  void finish() throws IOException;

  /** Creates files of one kind; travels with the job. */
  interface Factory extends Serializable {
    RowFile create(Path file) throws IOException;
  }
}
