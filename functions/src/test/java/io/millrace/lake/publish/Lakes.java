package io.millrace.lake.publish;

import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** What the tests of this package know of their lakes: text files, one row a line. */
final class Lakes {
  static final TableSchema TABLE =
      new TableSchema(
          "numbers",
          "processed/numbers",
          List.of(Column.required("n", LakeType.LONG, "a number")),
          "one row per number");
  static final TableSchema DAILY =
      new TableSchema("days", "aggregated/days", TABLE.columns(), "by day", Granularity.DAY);
  static final TimePartition FIRST =
      TimePartition.hour(Instant.parse("2026-01-31T22:00:00Z").toEpochMilli());
  static final Duration LATENESS = Duration.ofMinutes(10);

  static final RowCounter LINES =
      file -> {
        try (Stream<String> lines = Files.lines(Path.of(file.getPath()))) {
          return lines.count();
        }
      };

  private Lakes() {}

  static TimePartition hour(int n) {
    return TimePartition.hour(FIRST.start() + n * Duration.ofHours(1).toMillis());
  }

  /** The watermark that completes an hour. */
  static long passed(TimePartition hour) {
    return hour.end() + LATENESS.toMillis();
  }

  static org.apache.flink.core.fs.Path flink(Path path) {
    return new org.apache.flink.core.fs.Path(path.toUri());
  }

  static void write(Path base, TimePartition hour, String name, int lines) {
    try {
      Path folder = Files.createDirectories(base.resolve(hour.path()));
      Files.writeString(folder.resolve(name), "x\n".repeat(lines), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static SuccessFile success(Path base, TimePartition hour) {
    try {
      return SuccessFile.read(new org.apache.flink.core.fs.Path(flink(base), hour.path()))
          .orElse(null);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every visible row of a lake, with the times that it occurs. */
  static Map<String, Integer> rows(Path base) throws IOException {
    Map<String, Integer> rows = new TreeMap<>();
    try (Stream<Path> files = Files.walk(base)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        if (!name.startsWith(".") && !name.startsWith("_")) {
          Files.readAllLines(file).forEach(line -> rows.merge(line, 1, Integer::sum));
        }
      }
    }
    return rows;
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within 30 s: " + what);
      }
      LockSupport.parkNanos(1_000_000);
    }
  }
}
