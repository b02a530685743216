package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** The files that a path of a pipeline means: one file, those of a folder, or those of a glob. */
public final class InputFiles {
  private InputFiles() {}

  /**
   * The files in the order of their paths. Hidden files, whose names begin with a dot or an
   * underscore, are not taken of a folder or a glob.
   *
   * @param path a file, a folder, which is searched through, or a path with {@code *}, {@code ?},
   *     {@code [...]} or {@code {...}}; {@code **} crosses folders
   * @param resolve turns a path of the pipeline into one of the file system, or refuses it
   * @param endings of the names in a folder, without {@code .gz}
   * @throws IllegalArgumentException when there is no such file, in one line
   */
  public static List<Path> find(String path, UnaryOperator<Path> resolve, List<String> endings)
      throws IOException {
    Path file = resolve.apply(Path.of(path));
    if (Files.isRegularFile(file)) {
      return List.of(file);
    }
    List<Path> found;
    if (Files.isDirectory(file)) {
      found = below(file, candidate -> endings.stream().anyMatch(e -> endsWith(candidate, e)));
    } else if (isGlob(path)) {
      Path folder = Path.of(path);
      while (folder != null && isGlob(folder.toString())) {
        folder = folder.getParent();
      }
      Path base = resolve.apply(folder == null ? Path.of("") : folder);
      String rest = folder == null ? path : path.substring(folder.toString().length() + 1);
      PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + rest);
      found =
          Files.isDirectory(base)
              ? below(base, c -> matcher.matches(base.relativize(c)))
              : List.of();
    } else {
      throw new IllegalArgumentException("there is no file '" + path + "'");
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          Files.isDirectory(file)
              ? "the folder '" + path + "' has no file named *" + String.join(", *", endings)
              : "no file matches '" + path + "'");
    }
    // A link in the folder may lead anywhere.
    return found.stream().map(resolve).distinct().toList();
  }

  private static List<Path> below(Path folder, java.util.function.Predicate<Path> wanted)
      throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths
          .filter(Files::isRegularFile)
          .filter(p -> !isHidden(folder.relativize(p)))
          .filter(wanted)
          .sorted()
          .toList();
    }
  }

  private static boolean isHidden(Path relative) {
    for (Path part : relative) {
      if (part.toString().startsWith(".") || part.toString().startsWith("_")) {
        return true;
      }
    }
    return false;
  }

  private static boolean endsWith(Path file, String ending) {
    String name = file.getFileName().toString();
    return name.endsWith(ending) || name.endsWith(ending + ".gz");
  }

  private static boolean isGlob(String path) {
    return path.chars().anyMatch(c -> "*?[{".indexOf(c) >= 0);
  }
}
