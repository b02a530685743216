package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Session;
import io.millrace.event.Session.EndReason;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.parquet.SessionTable;
import io.millrace.lake.publish.HourRange;
import io.millrace.session.SessionRules;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hours beside 10 and 11 whose sessions a backfill of these two takes apart. */
class SessionBorderTest {
  private static final long DAY = Instant.parse("2026-03-01T00:00:00Z").toEpochMilli();
  private static final long MINUTE = 60_000L;
  private static final HourRange HOURS = HourRange.parse("2026-03-01T10..2026-03-01T11");
  // Of the day and a gap after.
  private static final long READ_TO = DAY + (24 * 60 + 30) * MINUTE;

  @TempDir private Path folder;
  private final List<Session> recomputed = new ArrayList<>();
  private final List<Session> published = new ArrayList<>();
  private long settled = time("60:00");

  /** Times are HH:MM of the day; hours beyond 23 of the next. */
  private static Session session(String user, String from, String to, long events) {
    long start = time(from);
    return new Session(
        user + from,
        user,
        start,
        time(to),
        events,
        events,
        0,
        0,
        0,
        0,
        0,
        List.of(),
        false,
        "a",
        "a",
        EndReason.GAP,
        null,
        null,
        null,
        List.of());
  }

  private static long time(String text) {
    String[] parts = text.split(":", -1);
    return DAY + (60 * Long.parseLong(parts[0]) + Long.parseLong(parts[1])) * MINUTE;
  }

  private void both(Session session) {
    recomputed.add(session);
    published.add(session);
  }

  private Path write(String name, List<Session> sessions) throws Exception {
    Map<String, List<Session>> hours = new TreeMap<>();
    sessions.forEach(
        s ->
            hours
                .computeIfAbsent(TimePartition.hour(s.end()).path(), h -> new ArrayList<>())
                .add(0, s));
    for (Map.Entry<String, List<Session>> hour : hours.entrySet()) {
      Path file = Files.createDirectories(folder.resolve(name).resolve(hour.getKey()));
      try (LocalDataOutputStream out = new LocalDataOutputStream(file.resolve("part-0").toFile())) {
        ParquetRowWriter<Session> writer =
            new ParquetRowWriter.Factory<>(
                    new SessionTable(), new Lineage("j", "v", "r"), ParquetOptions.DEFAULT)
                .create(out);
        for (Session s : hour.getValue()) {
          writer.addElement(s);
        }
        writer.finish();
      }
    }
    return folder.resolve(name);
  }

  private List<String> touched() throws Exception {
    Path first = write("published", published);
    SessionBorder border =
        new SessionBorder(
            new org.apache.flink.core.fs.Path(write("recomputed", recomputed).toUri()),
            hour ->
                OpenChains.dataFiles(
                    new org.apache.flink.core.fs.Path(first.resolve(hour.path()).toUri())),
            DAY - 25 * 60 * MINUTE,
            READ_TO,
            settled,
            SessionRules.DEFAULTS);
    return border.touched(HOURS).stream()
        .map(hour -> Instant.ofEpochMilli(hour).toString().substring(8, 13))
        .toList();
  }

  @Test
  void sessionsThatAreTheSameTouchNothing() throws Exception {
    both(session("across-both", "09:10", "12:20", 40));
    both(session("into", "09:50", "10:10", 2));
    both(session("out", "11:50", "12:10", 2));
    both(session("over-midnight", "11:50", "24:10", 90));
    both(session("long", "11:50", "12:40", 3));
    both(session("long", "13:05", "13:30", 3));
    both(session("twice-in-an-hour", "11:50", "12:20", 3));
    both(session("twice-in-an-hour", "12:25", "12:50", 2));
    published.add(session("much-longer", "11:50", "26:10", 99));
    recomputed.add(session("much-longer", "11:50", "24:29", 90));
    assertThat(touched()).isEmpty();
  }

  /** Their own late events are none of this backfill's business. */
  @Test
  void whatChangesBesideWithoutCrossingTouchesNothing() throws Exception {
    published.add(session("early", "08:10", "08:10", 1));
    recomputed.add(session("early", "08:10", "09:20", 5));
    published.add(session("later", "13:10", "13:10", 1));
    recomputed.add(session("later", "13:00", "13:10", 2));
    published.add(session("inside", "10:10", "10:10", 1));
    recomputed.add(session("inside", "10:10", "10:40", 2));
    assertThat(touched()).isEmpty();
  }

  @Test
  void aSessionThatNowEndsInsideLeavesItsOldHour() throws Exception {
    published.add(session("u", "09:40", "09:40", 1));
    recomputed.add(session("u", "09:40", "10:02", 2));
    assertThat(touched()).containsExactly("01T09");
  }

  @Test
  void aSessionThatNowBeginsInsideChangesItsHour() throws Exception {
    published.add(session("u", "12:10", "13:10", 8));
    recomputed.add(session("u", "11:45", "13:10", 9));
    assertThat(touched()).containsExactly("01T13");
  }

  @Test
  void aLateEventCanJoinSessionsOverAllOfTheHours() throws Exception {
    published.add(session("u", "08:10", "09:59", 20));
    published.add(session("u", "10:31", "12:10", 20));
    recomputed.add(session("u", "08:10", "12:10", 41));
    assertThat(touched()).containsExactly("01T09", "01T12");
  }

  @Test
  void anEventWithinASessionThatCrossesChangesItsCount() throws Exception {
    published.add(session("u", "11:40", "12:05", 2));
    recomputed.add(session("u", "11:40", "12:05", 3));
    assertThat(touched()).containsExactly("01T12");
  }

  /** With one more before it a session of at most so many events is cut elsewhere. */
  @Test
  void whatFollowsWithoutAGapIsCutElsewhere() throws Exception {
    published.add(session("u", "11:00", "11:58", 10_000));
    published.add(session("u", "11:59", "14:10", 10_000));
    published.add(session("u", "14:11", "16:00", 500));
    recomputed.add(session("u", "11:00", "11:57", 10_000));
    recomputed.add(session("u", "11:58", "14:09", 10_000));
    recomputed.add(session("u", "14:10", "16:00", 501));
    assertThat(touched()).containsExactly("01T14", "01T16");
  }

  @Test
  void aSessionBehindWhatWasReadIsComparedByItsBegin() throws Exception {
    published.add(session("u", "12:01", "26:10", 99));
    recomputed.add(session("u", "11:45", "24:29", 90));
    assertThat(touched()).containsExactly("02T02");
  }

  /** Its other part was published, of which the late event was the bridge. */
  @Test
  void aSessionBehindWhatWasReadCanHaveBeenTwo() throws Exception {
    published.add(session("u", "11:45", "12:00", 5));
    published.add(session("u", "24:20", "24:25", 2));
    recomputed.add(session("u", "11:45", "24:25", 8));
    assertThat(touched()).containsExactly("01T12", "02T00");
    settled = time("25:00");
    assertThat(touched()).containsExactly("01T12", "02T00");
    settled = time("24:59");
    assertThat(touched()).as("not over").containsExactly("01T12");
  }

  @Test
  void aSessionBehindWhatWasReadMayNotHaveEndedYet() throws Exception {
    recomputed.add(session("u", "11:45", "24:25", 8));
    settled = time("36:00");
    assertThat(touched()).as("the longest one ends at 35:45").containsExactly("02T00");
    settled = time("35:59");
    assertThat(touched()).isEmpty();
  }

  /** The job that writes them has not come so far, or just did. */
  @Test
  void hoursThatAreNotOverAreNotCompared() throws Exception {
    recomputed.add(session("u", "09:40", "12:10", 8));
    published.add(session("u", "09:40", "09:50", 2));
    settled = time("12:59");
    assertThat(touched()).containsExactly("01T09");
    settled = time("13:00");
    assertThat(touched()).containsExactly("01T09", "01T12");
  }
}
