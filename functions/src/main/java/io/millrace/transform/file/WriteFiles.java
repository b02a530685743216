package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.table.data.RowData;

/**
 * Writes the rows of a bounded stream to one file, or to a folder of part files, one per subtask.
 * What is written is whole when the job has ended well; a subtask that is started anew starts its
 * file anew.
 */
public final class WriteFiles implements Sink<RowData> {
  private static final long serialVersionUID = 1L;

  private final String target;
  private final String extension;
  private final boolean folder;
  private final RowFile.Factory factory;

  /**
   * Writes to a file or a folder.
   *
   * @param folder whether the target is a folder, whose files get names such as {@code
   *     part-00000.csv}
   */
  public WriteFiles(Path target, String extension, boolean folder, RowFile.Factory factory) {
    this.target = target.toString();
    this.extension = extension;
    this.folder = folder;
    this.factory = factory;
  }

  @Override
  public SinkWriter<RowData> createWriter(WriterInitContext context) throws IOException {
    Path file = Path.of(target);
    if (folder) {
      int subtask = context.getTaskInfo().getIndexOfThisSubtask();
      file = file.resolve(String.format(Locale.ROOT, "part-%05d.%s", subtask, extension));
    }
    Files.createDirectories(file.getParent());
    // An earlier attempt may still have it open; it goes on with a file that has no name.
    Files.deleteIfExists(file);
    return new Writer(factory.create(file));
  }

  private static final class Writer implements SinkWriter<RowData> {
    private final RowFile file;

    Writer(RowFile file) {
      this.file = file;
    }

    @Override
    public void write(RowData row, Context context) throws IOException {
      file.write(row);
    }

    @Override
    public void flush(boolean endOfInput) throws IOException {
      if (endOfInput) {
        file.finish();
      }
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
