package io.millrace.lake.publish;

import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;

import io.millrace.event.AppEvent;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.LakeTable;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.publish.BackfillPlan.Window;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.flink.core.fs.local.LocalDataOutputStream;

/**
 * A lake in which the live job writes events, and backfills generations of them; a row is told by
 * the offset of its record.
 *
 * @param root its folder
 */
record BackfillLake(Path root) {
  static final TableSchema TABLE = AppEventTable.SCHEMA;
  static final HourRange HOURS = new HourRange(hour(0).start(), hour(1).end());
  static final Window WINDOW =
      new Window(HOURS, hour(-30).start(), hour(4).start(), hour(4).start());

  BackfillPlan plan(String run, String plannedAt) throws IOException {
    return BackfillPlan.of(
        flink(root),
        RawEventTable.SCHEMA,
        hour(-40).start(),
        hour(10).start(),
        WINDOW,
        run,
        plannedAt);
  }

  Path own(TimePartition partition) {
    return root.resolve(TABLE.path()).resolve(partition.path());
  }

  Path generation(BackfillPlan of, TimePartition partition) {
    return Path.of(of.folder(flink(root), TABLE).getPath()).resolve(partition.path());
  }

  void complete(Path folder) throws IOException {
    new Completion(flink(folder), ParquetFooter::rows)
        .complete(flink(folder), Long.MAX_VALUE, () -> false);
  }

  void raw(String name, long first, long last) throws IOException {
    raw(2, name, first, last);
  }

  Path raw(int n, String name, long first, long last) throws IOException {
    Path file = root.resolve(RawEventTable.SCHEMA.path()).resolve(hour(n).path()).resolve(name);
    write(
        file,
        new RawEventTable(),
        offsets(first, last)
            .mapToObj(
                o ->
                    new Received(
                        origin(o),
                        null,
                        List.of(),
                        null,
                        hour(2).start(),
                        null,
                        List.of(new Rejection(RejectReason.NULL_VALUE, "", ""))))
            .toList());
    return file;
  }

  static void events(Path folder, String name, long first, long last) throws IOException {
    write(
        folder.resolve(name),
        new AppEventTable(),
        offsets(first, last)
            .mapToObj(
                o ->
                    new AppEvent(
                        new Event(
                            "e" + o,
                            "u",
                            null,
                            "purchase",
                            hour(0).start() + o,
                            Origin.NO_TIME,
                            Device.UNKNOWN,
                            Geo.UNKNOWN,
                            Map.of(),
                            Dimensions.NONE,
                            origin(o)),
                        false,
                        true))
            .toList());
  }

  private static LongStream offsets(long first, long last) {
    return LongStream.rangeClosed(first, last);
  }

  private static Origin origin(long offset) {
    return new Origin("session", 0, offset, hour(2).start(), hour(2).start());
  }

  private static <T> void write(Path file, LakeTable<T> table, List<T> rows) throws IOException {
    Files.createDirectories(file.getParent());
    ParquetRowWriter.Factory<T> factory =
        new ParquetRowWriter.Factory<>(table, new Lineage("j", "v", "r"), ParquetOptions.DEFAULT);
    try (LocalDataOutputStream out = new LocalDataOutputStream(file.toFile())) {
      ParquetRowWriter<T> writer = factory.create(out);
      for (T row : rows) {
        writer.addElement(row);
      }
      writer.finish();
    }
  }
}
