package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.AppEvent;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose events go on from the first that was read into what is published. */
class OpenChainsTest {
  private static final long READ = Instant.parse("2026-03-01T20:45:00Z").toEpochMilli();
  private static final long PUBLISHED = Instant.parse("2026-03-02T00:00:00Z").toEpochMilli();
  private static final long MINUTE = 60_000L;

  @TempDir private Path folder;
  private final Map<TimePartition, List<AppEvent>> rows =
      new TreeMap<>((a, b) -> Long.compare(a.start(), b.start()));

  private void event(String user, long time) {
    Event event =
        new Event(
            user + time,
            user,
            null,
            "purchase",
            time,
            Origin.NO_TIME,
            Device.UNKNOWN,
            Geo.UNKNOWN,
            Map.of(),
            Dimensions.NONE,
            new Origin("t", 0, time, time, time));
    // The newest first: files are in no order.
    rows.computeIfAbsent(TimePartition.hour(time), h -> new ArrayList<>())
        .add(0, new AppEvent(event, false, true));
  }

  /** An event each half hour, from the first to the last minute after the start of reading. */
  private void chain(String user, int from, int to, int every) {
    for (int minute = from; minute <= to; minute += every) {
      event(user, READ + minute * MINUTE);
    }
  }

  private long count() throws Exception {
    for (Map.Entry<TimePartition, List<AppEvent>> hour : rows.entrySet()) {
      Path file = Files.createDirectories(folder.resolve(hour.getKey().path())).resolve("part-0");
      try (LocalDataOutputStream out = new LocalDataOutputStream(file.toFile())) {
        ParquetRowWriter<AppEvent> writer =
            new ParquetRowWriter.Factory<>(
                    new AppEventTable(), new Lineage("j", "v", "r"), ParquetOptions.DEFAULT)
                .create(out);
        for (AppEvent row : hour.getValue()) {
          writer.addElement(row);
        }
        writer.finish();
      }
    }
    return new OpenChains(
            new org.apache.flink.core.fs.Path(folder.toUri()),
            READ,
            PUBLISHED,
            Duration.ofMinutes(30))
        .count();
  }

  @Test
  void onlyAChainFromTheStartIntoWhatIsPublishedIsOpen() throws Exception {
    chain("open", 30, 210, 30);
    chain("begins-after-a-gap", 31, 211, 30);
    chain("ends-just-before", 0, 194, 15);
    chain("has-a-gap", 0, 90, 30);
    chain("has-a-gap", 121, 211, 30);
    chain("gap-at-the-border", 0, 180, 30);
    event("gap-at-the-border", READ + 211 * MINUTE);
    chain("short", 0, 20, 5);
    chain("today", 195, 300, 15);
    assertThat(count()).isEqualTo(1);
  }

  @Test
  void noEventsAreNoChain() throws Exception {
    assertThat(count()).isZero();
  }
}
