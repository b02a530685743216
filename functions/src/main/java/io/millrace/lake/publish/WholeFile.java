package io.millrace.lake.publish;

import java.io.IOException;
import java.io.InputStream;
import java.util.UUID;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.core.fs.Path;

/** Writes files that readers see whole: the former one, or none, and then this one. */
final class WholeFile {
  private WholeFile() {}

  static void write(Path path, InputStream content) throws IOException {
    write(path.getFileSystem(), path, content);
  }

  static void write(FileSystem fs, Path path, InputStream content) throws IOException {
    // An object appears when its upload ends; a file on disk is visible while it grows. A swap and
    // a job's publisher may write the same file: each has a name of its own for it meanwhile.
    boolean renames = !fs.isDistributedFS();
    String unfinished = "." + path.getName() + "." + UUID.randomUUID() + ".tmp";
    Path target = renames ? new Path(path.getParent(), unfinished) : path;
    FSDataOutputStream out = fs.create(target, WriteMode.OVERWRITE);
    try {
      content.transferTo(out);
    } catch (IOException | RuntimeException e) {
      if (renames) {
        out.close();
        fs.delete(target, false);
      }
      // To close an upload is to publish what there is of it, so that one is left open.
      throw e;
    }
    out.close();
    if (renames && !fs.rename(target, path)) {
      throw new IOException("cannot rename " + target + " to " + path);
    }
  }
}
