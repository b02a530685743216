package io.millrace.enrichment;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;

/**
 * A dimension in a JSON-lines file on any of Flink's file systems. Replace the file as a whole
 * (write beside it, then rename): a half-written one may be read.
 */
public final class DimensionFile implements DimensionReader {
  private static final long serialVersionUID = 1L;

  private final String uri;
  private transient long readTime;
  private transient long readLength;
  private transient String readVersion;

  public DimensionFile(String uri) {
    this.uri = uri;
  }

  @Override
  public Optional<DimensionTable> readIfChanged() throws IOException {
    Path path = new Path(uri);
    FileSystem files = path.getFileSystem();
    FileStatus status = files.getFileStatus(path);
    if (readVersion != null
        && status.getModificationTime() == readTime
        && status.getLen() == readLength) {
      return Optional.empty();
    }
    DimensionRows rows = new DimensionRows();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(files.open(path), StandardCharsets.UTF_8))) {
      int number = 0;
      String line;
      while ((line = lines.readLine()) != null) {
        number++;
        if (!line.isBlank()) {
          rows.add(line, uri + " line " + number);
        }
      }
    }
    DimensionTable table = rows.table();
    boolean isSame = table.version().equals(readVersion);
    readTime = status.getModificationTime();
    readLength = status.getLen();
    readVersion = table.version();
    return isSame ? Optional.empty() : Optional.of(table);
  }

  @Override
  public void close() {
    // Nothing stays open between reads.
  }

  @Override
  public String describe() {
    return uri;
  }
}
