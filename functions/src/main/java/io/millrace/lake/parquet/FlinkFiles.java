package io.millrace.lake.parquet;

import java.io.IOException;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.SeekableInputStream;

/** Lets Parquet read and write through Flink's file systems. */
final class FlinkFiles {
  private FlinkFiles() {}

  /** A stream that Flink has opened; Flink closes it too. */
  static OutputFile output(FSDataOutputStream stream) {
    return new OutputFile() {
      @Override
      public PositionOutputStream create(long blockSizeHint) throws IOException {
        return new Positioned(stream);
      }

      @Override
      public PositionOutputStream createOrOverwrite(long blockSizeHint) throws IOException {
        return new Positioned(stream);
      }

      @Override
      public boolean supportsBlockSize() {
        return false;
      }

      @Override
      public long defaultBlockSize() {
        return 0;
      }
    };
  }

  /** A file, opened anew for each reader. */
  static InputFile input(Path path) throws IOException {
    FileSystem fs = path.getFileSystem();
    long length = fs.getFileStatus(path).getLen();
    return new InputFile() {
      @Override
      public long getLength() {
        return length;
      }

      @Override
      public SeekableInputStream newStream() throws IOException {
        return new Seekable(fs.open(path));
      }

      @Override
      public String toString() {
        return path.toString();
      }
    };
  }

  private static final class Positioned extends PositionOutputStream {
    private final FSDataOutputStream stream;
    // Counted here: asking some streams for their position is a system call.
    private long position;

    Positioned(FSDataOutputStream stream) throws IOException {
      this.stream = stream;
      this.position = stream.getPos();
    }

    @Override
    public long getPos() {
      return position;
    }

    @Override
    public void write(int b) throws IOException {
      stream.write(b);
      position++;
    }

    @Override
    public void write(byte[] b, int offset, int length) throws IOException {
      stream.write(b, offset, length);
      position += length;
    }

    @Override
    public void flush() throws IOException {
      stream.flush();
    }

    @Override
    public void close() throws IOException {
      stream.flush();
    }
  }

  private static final class Seekable extends DelegatingSeekableInputStream {
    private final FSDataInputStream stream;

    Seekable(FSDataInputStream stream) {
      super(stream);
      this.stream = stream;
    }

    @Override
    public long getPos() throws IOException {
      return stream.getPos();
    }

    @Override
    public void seek(long position) throws IOException {
      stream.seek(position);
    }
  }
}
