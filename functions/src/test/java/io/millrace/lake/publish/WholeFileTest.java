package io.millrace.lake.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.stream.Stream;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.apache.flink.core.fs.local.LocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  @TempDir java.nio.file.Path folder;

  /** Publishes what it has when it is closed, as an object store does. */
  private final class ObjectStore extends LocalFileSystem {
    @Override
    public boolean isDistributedFS() {
      return true;
    }

    @Override
    public FSDataOutputStream create(Path path, WriteMode mode) throws IOException {
      return new LocalDataOutputStream(folder.resolve("upload").toFile()) {
        @Override
        public void close() throws IOException {
          super.close();
          Files.move(folder.resolve("upload"), folder.resolve(path.getName()));
        }
      };
    }
  }

  private static InputStream broken() {
    InputStream fails =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("reset");
          }

          @Override
          public int read(byte[] into, int from, int length) throws IOException {
            throw new IOException("reset");
          }
        };
    return new SequenceInputStream(whole(), fails);
  }

  private static InputStream whole() {
    return new ByteArrayInputStream("rows".getBytes(StandardCharsets.UTF_8));
  }

  private Path target() {
    return new Path(folder.resolve("part").toUri());
  }

  @Test
  void aFileOnDiskIsReplacedOrStaysAsItWas() throws Exception {
    Files.writeString(folder.resolve("part"), "former");
    assertThatThrownBy(() -> WholeFile.write(target(), broken())).hasMessage("reset");
    assertThat(folder.resolve("part")).hasContent("former");
    try (Stream<java.nio.file.Path> files = Files.list(folder)) {
      assertThat(files).hasSize(1);
    }
    WholeFile.write(target(), whole());
    assertThat(folder.resolve("part")).hasContent("rows");
  }

  @Test
  void anUploadThatBreaksOffIsNotPublished() throws Exception {
    assertThatThrownBy(() -> WholeFile.write(new ObjectStore(), target(), broken()))
        .hasMessage("reset");
    assertThat(folder.resolve("part")).doesNotExist();
    WholeFile.write(new ObjectStore(), target(), whole());
    assertThat(folder.resolve("part")).hasContent("rows");
  }

  @Test
  void twoWritersOfOneFileDoNotMeet() throws Exception {
    InputStream slow =
        new FilterInputStream(new ByteArrayInputStream(new byte[] {'a', 'a'})) {
          private boolean met;

          @Override
          public int read(byte[] bytes, int from, int length) throws IOException {
            if (!met) {
              met = true;
              WholeFile.write(target(), new ByteArrayInputStream(new byte[] {'b'}));
              assertThat(folder.resolve("part")).hasContent("b");
            }
            return super.read(bytes, from, length);
          }
        };
    WholeFile.write(target(), slow);
    assertThat(folder.resolve("part")).hasContent("aa");
    assertThat(folder.toFile().list()).containsExactly("part");
  }
}
