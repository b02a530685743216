package io.millrace.enrichment;

import java.io.IOException;
import java.io.Serializable;
import java.util.Optional;

/** Where the dimension is kept: a file or a compacted topic. Used by one thread. */
public interface DimensionReader extends Serializable, AutoCloseable {

  /** The dimension as it is now, or empty when it is what the last call returned. */
  Optional<DimensionTable> readIfChanged() throws IOException;

  @Override
  void close() throws IOException;

  /** Names the place in messages. */
  String describe();
}
