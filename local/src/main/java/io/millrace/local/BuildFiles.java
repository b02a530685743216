package io.millrace.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/** Where the build leaves what the stack runs, found from the place of this class. */
final class BuildFiles {
  private BuildFiles() {}

  /** This module's classes: a folder or a jar. */
  static Path classes() {
    try {
      return Path.of(BuildFiles.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException("no file holds " + BuildFiles.class, e);
    }
  }

  /** The folder of the module `local`: its classes lie in `local/target`. */
  static Path module() {
    return classes().getParent().getParent();
  }

  /** The build folder of a server, `local/servers/NAME/target`. */
  static Path server(String name) {
    Path target = module().resolve("servers").resolve(name).resolve("target");
    if (!Files.isDirectory(target.resolve("lib"))) {
      throw new IllegalStateException(
          "the jars of " + name + " are not in " + target + "; run: mvn package -DskipTests");
    }
    return target;
  }

  /** The folder of Flink's plugins, one folder of jars each. */
  static Path plugins() {
    Path plugins = module().resolve("target").resolve("plugins");
    if (!Files.isDirectory(plugins.resolve("s3-fs-hadoop"))) {
      throw new IllegalStateException(
          "the S3 plugin is not in " + plugins + "; run: mvn package -DskipTests");
    }
    return plugins;
  }

  /**
   * A jar of the module `jobs` with what it needs: `cluster` for a Flink cluster, `sql` for Flink's
   * SQL client.
   */
  static Path jar(String kind) {
    Path target = module().resolveSibling("jobs").resolve("target");
    try (Stream<Path> files = Files.list(target)) {
      return files
          .filter(f -> f.getFileName().toString().matches("millrace-jobs-.*-" + kind + "\\.jar"))
          .max(Path::compareTo)
          .orElseThrow(
              () ->
                  new CommandFailure(
                      "there is no millrace-jobs-...-"
                          + kind
                          + ".jar in "
                          + target
                          + "; run: mvn package -DskipTests"));
    } catch (IOException e) {
      throw new CommandFailure("there is no build in " + target, e);
    }
  }

  /** A file that is shipped below `sql`. */
  static Path sql(String file) {
    return module().getParent().resolve("sql").resolve(file);
  }

  static void copyTree(Path from, Path to) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(from)) {
      paths = walk.toList();
    }
    for (Path path : paths) {
      Path copy = to.resolve(from.relativize(path).toString());
      if (Files.isDirectory(path)) {
        Files.createDirectories(copy);
      } else {
        Files.copy(path, copy);
      }
    }
  }

  static void deleteTree(Path root) {
    if (!Files.exists(root)) {
      return;
    }
    try {
      Files.walkFileTree(
          root,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException failure)
                throws IOException {
              Files.delete(folder);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + root, e);
    }
  }
}
