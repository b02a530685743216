package io.millrace.lake.publish;

import java.io.IOException;
import java.io.Serializable;
import org.apache.flink.core.fs.Path;

/** Tells how many rows a committed file holds, as from a Parquet footer. */
@FunctionalInterface
public interface RowCounter extends Serializable {

  /** The rows of one file. */
  long rows(Path file) throws IOException;
}
