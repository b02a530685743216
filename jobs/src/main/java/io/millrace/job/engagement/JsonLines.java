package io.millrace.job.engagement;

import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.validation.Validate;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.ArrayResultIterator;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.core.fs.Path;
import org.apache.flink.util.IOUtils;

/**
 * Reads records from files of JSON lines, plain or {@code .gz}, each file from start to end. A line
 * ends with LF or CRLF; empty lines are skipped. Lines stay bytes, so that a bad character is seen
 * by validation.
 *
 * <p>The offset of a record is the byte at which its line starts in its file, of a {@code .gz} in
 * what it holds; two files of a topic can hold the same offset. Of a line that is longer than a
 * record may be, one byte more than allowed is kept: enough for validation to reject it.
 */
final class JsonLines implements BulkFormat<Received, FileSourceSplit> {
  private static final long serialVersionUID = 1L;
  private static final int BATCH_RECORDS = 1000;
  private static final int BUFFER = 1 << 16;

  /** A batch that has reached this is full; its last line may go beyond. */
  static final int BATCH_BYTES = 4 << 20;

  private final Set<String> topics;
  private final Validate validate;
  private final int maxKept;

  /**
   * Files in a folder named like one of the topics belong to that topic, others to "files".
   *
   * @param maxRecordBytes what {@code validate} holds records against
   */
  JsonLines(Set<String> topics, Validate validate, int maxRecordBytes) {
    this.topics = Set.copyOf(topics);
    this.validate = validate;
    this.maxKept = (int) Math.min(maxRecordBytes + 1L, Integer.MAX_VALUE - 8);
  }

  @Override
  public Reader<Received> createReader(Configuration config, FileSourceSplit split)
      throws IOException {
    return new LineReader(split.path(), 0);
  }

  @Override
  public Reader<Received> restoreReader(Configuration config, FileSourceSplit split)
      throws IOException {
    return new LineReader(
        split.path(), split.getReaderPosition().map(p -> p.getRecordsAfterOffset()).orElse(0L));
  }

  @Override
  public boolean isSplittable() {
    return false;
  }

  @Override
  public TypeInformation<Received> getProducedType() {
    return TypeInformation.of(Received.class);
  }

  private String topicOf(Path file) {
    Path folder = file.getParent();
    return folder != null && topics.contains(folder.getName()) ? folder.getName() : "files";
  }

  private final class LineReader implements Reader<Received> {
    private final InputStream in;
    private final String topic;
    private final byte[] buffer = new byte[BUFFER];
    private int next;
    private int end;
    private byte[] line = new byte[512];
    private int kept;
    private long position;
    private long records;

    LineReader(Path file, long skip) throws IOException {
      topic = topicOf(file);
      in = content(file, file.getFileSystem().open(file));
      try {
        while (records < skip && nextLine() >= 0) {
          records++;
        }
      } catch (IOException | RuntimeException e) {
        IOUtils.closeQuietly(in);
        throw e;
      }
    }

    @Override
    @Nullable
    public RecordIterator<Received> readBatch() throws IOException {
      List<Received> batch = new ArrayList<>();
      long first = records;
      long bytes = 0;
      while (batch.size() < BATCH_RECORDS && bytes < BATCH_BYTES) {
        long start = nextLine();
        if (start < 0) {
          break;
        }
        records++;
        bytes += kept;
        Origin origin = new Origin(topic, 0, start, Origin.NO_TIME, System.currentTimeMillis());
        batch.add(validate.validate(origin, null, List.of(), Arrays.copyOf(line, kept)));
      }
      if (batch.isEmpty()) {
        return null;
      }
      ArrayResultIterator<Received> iterator = new ArrayResultIterator<>();
      // Counts from the file's start: the position of a record is the number of records up to and
      // with it, which is what restoreReader skips.
      iterator.set(
          batch.toArray(new Received[0]), batch.size(), RecordAndPosition.NO_OFFSET, first);
      return iterator;
    }

    /**
     * Fills {@link #line} up to {@link #kept} with the next line that is not empty; its byte
     * offset, or -1.
     */
    private long nextLine() throws IOException {
      kept = 0;
      long start = position;
      boolean whole = true;
      while (true) {
        if (next == end) {
          end = Math.max(in.read(buffer), 0);
          next = 0;
          if (end == 0) {
            return kept > 0 ? start : -1;
          }
        }
        int from = next;
        while (next < end && buffer[next] != '\n') {
          next++;
        }
        whole &= keep(from, next - from);
        position += next - from;
        if (next < end) {
          next++;
          position++;
          if (whole && kept > 0 && line[kept - 1] == '\r') {
            kept--;
          }
          if (kept > 0) {
            return start;
          }
          start = position;
        }
      }
    }

    /** Appends a part of the buffer to the line; false when not all of it is kept. */
    private boolean keep(int from, int length) {
      int part = Math.min(length, maxKept - kept);
      if (part > line.length - kept) {
        long size = Math.max(2L * line.length, (long) kept + part);
        line = Arrays.copyOf(line, (int) Math.min(maxKept, size));
      }
      System.arraycopy(buffer, from, line, kept, part);
      kept += part;
      return part == length;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** What a file holds, decompressed; closes its bytes on failure. */
  static InputStream content(Path file, InputStream bytes) throws IOException {
    if (!file.getName().endsWith(".gz")) {
      return bytes;
    }
    try {
      return new GzipMembers(file, new AvailableUntilEnd(bytes));
    } catch (IOException e) {
      IOUtils.closeQuietly(bytes);
      throw new IOException(file + " is not a gzip file: " + e, e);
    }
  }

  /**
   * Every member of a gzip file. The JDK's stream ends at a member without a word when nothing is
   * available or when what follows cannot be read; here that fails.
   */
  private static final class GzipMembers extends GZIPInputStream {
    private static final int TRAILER = 8;

    private final Path file;
    private final AvailableUntilEnd compressed;

    GzipMembers(Path file, AvailableUntilEnd compressed) throws IOException {
      super(compressed, BUFFER);
      this.file = file;
      this.compressed = compressed;
    }

    @Override
    protected void fill() throws IOException {
      super.fill();
      compressed.count = 0;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int read = super.read(target, offset, length);
      if (read < 0) {
        if (compressed.failure != null) {
          throw new IOException(file + " cannot be read to its end", compressed.failure);
        }
        // What the inflater left of its last fill, and what was read since without it.
        if (inf.getRemaining() + compressed.count > TRAILER) {
          throw new IOException(file + " has bytes that are not gzip after a gzip member");
        }
      }
      return read;
    }
  }

  /** Says that at least one byte is available until the end was met. */
  private static final class AvailableUntilEnd extends FilterInputStream {
    private boolean ended;
    private long count;
    @Nullable private IOException failure;

    AvailableUntilEnd(InputStream in) {
      super(in);
    }

    @Override
    public int available() throws IOException {
      return ended ? 0 : Math.max(1, in.available());
    }

    @Override
    public int read() throws IOException {
      try {
        int read = in.read();
        ended = read < 0;
        count += ended ? 0 : 1;
        return read;
      } catch (IOException e) {
        failure = e;
        throw e;
      }
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      try {
        int read = in.read(target, offset, length);
        ended = read < 0;
        count += Math.max(read, 0);
        return read;
      } catch (IOException e) {
        failure = e;
        throw e;
      }
    }
  }
}
