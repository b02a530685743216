package io.millrace.lake.publish;

import java.io.IOException;
import java.io.InputStream;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.core.fs.Path;

/** Writes files that readers see whole: the former one, or none, and then this one. */
final class WholeFile {
  private WholeFile() {}

  static void write(Path path, InputStream content) throws IOException {
    FileSystem fs = path.getFileSystem();
    // An object appears when its upload ends; a file on disk is visible while it grows.
    boolean renames = !fs.isDistributedFS();
    Path target = renames ? new Path(path.getParent(), "." + path.getName() + ".tmp") : path;
    try (FSDataOutputStream out = fs.create(target, WriteMode.OVERWRITE)) {
      content.transferTo(out);
    }
    if (renames && !fs.rename(target, path)) {
      throw new IOException("cannot rename " + target + " to " + path);
    }
  }
}
