package io.millrace.transform;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Writes texts to one local file, a line each; for one writer, and for bounded input. */
public final class WriteLines implements Sink<String> {
  private static final long serialVersionUID = 1L;

  private final String path;

  /** Replaces the file when the job starts; makes its folder. */
  public WriteLines(String path) {
    this.path = path;
  }

  @Override
  public SinkWriter<String> createWriter(WriterInitContext context) throws IOException {
    Path file = Path.of(path);
    Files.createDirectories(file.getParent());
    return new Lines(Files.newBufferedWriter(file, StandardCharsets.UTF_8));
  }

  private static final class Lines implements SinkWriter<String> {
    private final BufferedWriter writer;

    Lines(BufferedWriter writer) {
      this.writer = writer;
    }

    @Override
    public void write(String line, Context context) throws IOException {
      writer.write(line);
      writer.write('\n');
    }

    @Override
    public void flush(boolean endOfInput) throws IOException {
      writer.flush();
    }

    @Override
    public void close() throws IOException {
      writer.close();
    }
  }
}
