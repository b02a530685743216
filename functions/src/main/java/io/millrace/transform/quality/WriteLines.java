package io.millrace.transform.quality;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Writes texts to one local file, a line each; for one task, and for bounded input. It hands on
 * nothing: its end says that the file is whole.
 */
public final class WriteLines extends AbstractStreamOperator<String>
    implements OneInputStreamOperator<String, String>, BoundedOneInput {
  private static final long serialVersionUID = 1L;

  private final String path;
  @Nullable private transient BufferedWriter writer;

  /** Replaces the file when the job starts; makes its folder. */
  public WriteLines(String path) {
    this.path = path;
  }

  @Override
  public void open() throws Exception {
    super.open();
    Path file = Path.of(path);
    Files.createDirectories(file.getParent());
    writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
  }

  @Override
  public void processElement(StreamRecord<String> line) throws IOException {
    writer.write(line.getValue());
    writer.write('\n');
  }

  @Override
  public void endInput() throws IOException {
    writer.flush();
  }

  @Override
  public void close() throws Exception {
    if (writer != null) {
      writer.close();
    }
    super.close();
  }
}
