package io.millrace.job.engagement;

import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.validation.Validate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
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

/**
 * Reads records from files of JSON lines, plain or {@code .gz}, each file from start to end. Empty
 * lines are skipped. Lines stay bytes, so that a bad character is seen by validation.
 */
final class JsonLines implements BulkFormat<Received, FileSourceSplit> {
  private static final long serialVersionUID = 1L;
  private static final int BATCH = 1000;

  private final Set<String> topics;
  private final Validate validate;

  /** Files below a folder named like one of the topics belong to that topic, others to "files". */
  JsonLines(Set<String> topics, Validate validate) {
    this.topics = Set.copyOf(topics);
    this.validate = validate;
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
    private final byte[] buffer = new byte[1 << 16];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
    private int next;
    private int end;
    private long position;
    private long records;

    LineReader(Path file, long skip) throws IOException {
      InputStream bytes = file.getFileSystem().open(file);
      in = file.getName().endsWith(".gz") ? new GZIPInputStream(bytes, 1 << 16) : bytes;
      topic = topicOf(file);
      while (records < skip && nextLine() >= 0) {
        records++;
      }
    }

    @Override
    @Nullable
    public RecordIterator<Received> readBatch() throws IOException {
      List<Received> batch = new ArrayList<>(BATCH);
      long first = records;
      while (batch.size() < BATCH) {
        long start = nextLine();
        if (start < 0) {
          break;
        }
        records++;
        Origin origin = new Origin(topic, 0, start, Origin.NO_TIME, System.currentTimeMillis());
        batch.add(validate.validate(origin, null, List.of(), line.toByteArray()));
      }
      if (batch.isEmpty()) {
        return null;
      }
      ArrayResultIterator<Received> iterator = new ArrayResultIterator<>();
      iterator.set(
          batch.toArray(new Received[0]), batch.size(), RecordAndPosition.NO_OFFSET, first);
      return iterator;
    }

    /** Fills {@link #line} with the next line that is not empty; its byte offset, or -1. */
    private long nextLine() throws IOException {
      line.reset();
      long start = position;
      while (true) {
        if (next == end) {
          end = in.read(buffer);
          next = 0;
          if (end <= 0) {
            end = 0;
            return line.size() > 0 ? start : -1;
          }
        }
        int from = next;
        while (next < end && buffer[next] != '\n') {
          next++;
        }
        line.write(buffer, from, next - from);
        position += next - from;
        if (next < end) {
          next++;
          position++;
          if (line.size() > 0) {
            return start;
          }
          start = position;
        }
      }
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
