package io.millrace.transform;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** The folder below which a pipeline may read and write files, and nowhere else. */
public final class DataRoot {
  private final Path root;

  private DataRoot(Path root) {
    this.root = root;
  }

  /** The folder, which has to exist. */
  public static DataRoot at(Path folder) {
    try {
      return new DataRoot(folder.toRealPath());
    } catch (IOException e) {
      throw new UncheckedIOException("the data root '" + folder + "' does not exist", e);
    }
  }

  public Path root() {
    return root;
  }

  /**
   * The file of that relative path, which need not exist yet. What exists of it is resolved, so
   * that neither {@code ..} nor a symbolic link leads out.
   *
   * @throws IllegalArgumentException when it lies outside, in one line that names it
   */
  public Path resolve(String relative) {
    Path path;
    try {
      path = root.resolve(relative).normalize();
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("'" + relative + "' is not a path");
    }
    Path existing = path;
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    try {
      if (existing == null || !path.startsWith(root) || !existing.toRealPath().startsWith(root)) {
        throw new IllegalArgumentException("'" + relative + "' lies outside the data root " + root);
      }
      return existing.toRealPath().resolve(existing.relativize(path)).normalize();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "'" + relative + "' cannot be resolved: " + e.getMessage(), e);
    }
  }
}
