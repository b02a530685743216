package io.millrace.job.engagement;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.codec.json.JsonEventDecoder.Limits;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.validation.Validate;
import io.millrace.validation.ValidationRules;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import javax.annotation.Nullable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat.Reader;
import org.apache.flink.connector.file.src.reader.BulkFormat.RecordIterator;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of lines to records, and from any position on again. */
class JsonLinesTest {
  private static final int MAX_RECORD = 16_384;
  private static final JsonLines LINES =
      new JsonLines(
          Set.of("install"),
          new Validate(
              new ValidationRules(
                  MAX_RECORD, 128, 256, ValidationRules.DEFAULTS.maxAhead(), null, Map.of()),
              new JsonEventDecoder(new Limits(MAX_RECORD, 32, 64, MAX_RECORD, 128, true))),
          MAX_RECORD);

  @TempDir private Path dir;

  private record Read(Received record, CheckpointedPosition position) {}

  private Path file(String name, byte[] content) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, content);
  }

  private static List<List<Read>> batches(Path file, @Nullable CheckpointedPosition from)
      throws IOException {
    FileSourceSplit split =
        new FileSourceSplit(
            "1",
            new org.apache.flink.core.fs.Path(file.toUri()),
            0,
            Files.size(file),
            0,
            Files.size(file),
            new String[0],
            from);
    List<List<Read>> batches = new ArrayList<>();
    Configuration config = new Configuration();
    try (Reader<Received> reader =
        from == null ? LINES.createReader(config, split) : LINES.restoreReader(config, split)) {
      for (RecordIterator<Received> batch = reader.readBatch();
          batch != null;
          batch = reader.readBatch()) {
        List<Read> reads = new ArrayList<>();
        for (RecordAndPosition<Received> next = batch.next(); next != null; next = batch.next()) {
          reads.add(
              new Read(
                  next.getRecord(),
                  new CheckpointedPosition(next.getOffset(), next.getRecordSkipCount())));
        }
        batch.releaseBatch();
        batches.add(reads);
      }
    }
    return batches;
  }

  private static List<Read> read(Path file, @Nullable CheckpointedPosition from)
      throws IOException {
    return batches(file, from).stream().flatMap(List::stream).toList();
  }

  private static List<String> values(Path file) throws IOException {
    return read(file, null).stream().map(JsonLinesTest::value).toList();
  }

  private static String value(Read read) {
    return new String(read.record().value(), UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static byte[] gzip(String... members) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String member : members) {
      try (OutputStream gzip = new GZIPOutputStream(out)) {
        gzip.write(bytes(member));
      }
    }
    return out.toByteArray();
  }

  private static String event(int number, int padding) {
    return "{\"event_id\":\"e"
        + number
        + "\",\"user_id\":\"u\",\"event_type\":\"t\",\"timestamp\":1767608130000,"
        + "\"properties\":{\"p\":\""
        + "x".repeat(padding)
        + "\"}}";
  }

  private static List<String> events(int count, int padding) {
    return IntStream.range(0, count).mapToObj(i -> event(i, padding)).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.jsonl", "a.jsonl.gz"})
  void fromAnyPositionExactlyTheRestIsRead(String name) throws IOException {
    String text = "\n" + String.join("\n\n", events(7, 0)) + "\r\n\r\n" + event(7, 0);
    Path file = file(name, name.endsWith(".gz") ? gzip(text) : bytes(text));
    List<Read> all = read(file, null);
    assertThat(all).hasSize(8).allMatch(r -> r.record().accepted());
    assertThat(read(file, new CheckpointedPosition(CheckpointedPosition.NO_OFFSET, 0))).hasSize(8);
    for (int i = 0; i < all.size(); i++) {
      List<Read> rest = read(file, all.get(i).position());
      List<Read> expected = all.subList(i + 1, all.size());
      assertThat(rest.stream().map(JsonLinesTest::value).toList())
          .isEqualTo(expected.stream().map(JsonLinesTest::value).toList());
      assertThat(rest.stream().map(Read::position).toList())
          .isEqualTo(expected.stream().map(Read::position).toList());
      assertThat(rest.stream().map(r -> r.record().origin().offset()).toList())
          .isEqualTo(expected.stream().map(r -> r.record().origin().offset()).toList());
    }
  }

  @Test
  void fromAPositionInALaterBatchTheRestIsRead() throws IOException {
    Path file = file("a.jsonl", bytes(String.join("\n", events(2_500, 0))));
    List<List<Read>> batches = batches(file, null);
    assertThat(batches).extracting(List::size).containsExactly(1000, 1000, 500);
    List<Read> rest = read(file, batches.get(1).get(499).position());
    assertThat(rest).hasSize(1000);
    assertThat(value(rest.get(0))).isEqualTo(event(1500, 0));
  }

  @Test
  void theOffsetIsTheByteOfTheLine() throws IOException {
    String text = "\u00e9\n\r\n22\r\n\n333";
    assertThat(read(file("a.jsonl", bytes(text)), null))
        .extracting(r -> r.record().origin().offset())
        .containsExactly(0L, 5L, 10L);
    assertThat(read(file("a.jsonl.gz", gzip(text)), null))
        .extracting(r -> r.record().origin().offset())
        .containsExactly(0L, 5L, 10L);
  }

  @Test
  void linesEndWithLfOrCrLfOrTheFile() throws IOException {
    assertThat(values(file("a.jsonl", bytes("1\r\n\r\n\n2\n3\r\r\n4\r5\n6"))))
        .containsExactly("1", "2", "3\r", "4\r5", "6");
    assertThat(values(file("b.jsonl", bytes("\n\r\n\n")))).isEmpty();
    assertThat(values(file("c.jsonl", bytes("")))).isEmpty();
  }

  @Test
  void everyGzipMemberIsRead() throws IOException {
    assertThat(values(file("a.jsonl.gz", gzip("1\n2", "3\n", "", "4\n5"))))
        .containsExactly("1", "23", "4", "5");
  }

  /** Members that end at any place within the reader's buffer, also just at its end. */
  @Test
  void gzipMembersAreReadBeyondTheBuffer() throws IOException {
    byte[] small = gzip("1\n");
    int count = (1 << 17) / small.length + 1;
    for (int shift = 0; shift < small.length; shift++) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] first = gzip("");
      // A header with a file name: as long as it takes to move the members that follow.
      first[3] = 8;
      out.write(first, 0, 10);
      out.write(bytes("n".repeat(shift)));
      out.write(0);
      out.write(first, 10, first.length - 10);
      for (int i = 0; i < count; i++) {
        out.write(small);
      }
      assertThat(read(file("a.jsonl.gz", out.toByteArray()), null)).hasSize(count);
    }
  }

  /** Object stores' streams: few bytes at a time, and never one that is said to be available. */
  private static InputStream remote(byte[] content, int atATime) {
    return new ByteArrayInputStream(content) {
      @Override
      public synchronized int available() {
        return 0;
      }

      @Override
      public synchronized int read(byte[] target, int offset, int length) {
        return super.read(target, offset, Math.min(length, atATime));
      }
    };
  }

  @Test
  void everyGzipMemberIsReadWhenNothingIsSaidToBeAvailable() throws IOException {
    byte[] content = gzip("1\n2", "3\n", "", "4\n5");
    org.apache.flink.core.fs.Path file = new org.apache.flink.core.fs.Path("a.jsonl.gz");
    for (int atATime = 1; atATime <= content.length; atATime++) {
      try (InputStream in = JsonLines.content(file, remote(content, atATime))) {
        assertThat(new String(in.readAllBytes(), UTF_8)).isEqualTo("1\n23\n4\n5");
      }
    }
  }

  @Test
  void aFailureBetweenGzipMembersIsNotTheEnd() throws IOException {
    org.apache.flink.core.fs.Path file = new org.apache.flink.core.fs.Path("a.jsonl.gz");
    InputStream failing =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("connection reset");
          }

          @Override
          public int read(byte[] target, int offset, int length) throws IOException {
            throw new IOException("connection reset");
          }
        };
    InputStream bytes = new SequenceInputStream(remote(gzip("1\n"), 64), failing);
    try (InputStream in = JsonLines.content(file, bytes)) {
      assertThatThrownBy(in::readAllBytes)
          .isInstanceOf(IOException.class)
          .hasMessage("a.jsonl.gz cannot be read to its end")
          .hasRootCauseMessage("connection reset");
    }
  }

  @Test
  void whatIsNotWholeGzipFails() throws IOException {
    byte[] whole = gzip("1\n", "2\n");
    int first = gzip("1\n").length;
    for (int length = 0; length < whole.length; length++) {
      Path file = file("cut.jsonl.gz", Arrays.copyOf(whole, length));
      if (length == first) {
        assertThat(values(file)).containsExactly("1");
      } else {
        assertThatThrownBy(() -> values(file)).isInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void aLineThatIsTooLongIsCutAndItsNeighboursAreRead() throws IOException {
    String longest = event(2, MAX_RECORD - event(2, 0).length());
    String text =
        String.join(
            "\r\n",
            event(1, 0),
            longest,
            "y".repeat(300_000),
            event(3, 0),
            longest + " ",
            longest + "\r",
            event(4, 0),
            "z".repeat(MAX_RECORD + 1));
    for (String name : List.of("a.jsonl", "a.jsonl.gz")) {
      List<Read> all = read(file(name, name.endsWith(".gz") ? gzip(text) : bytes(text)), null);
      assertThat(all)
          .extracting(r -> r.record().accepted())
          .containsExactly(true, true, false, true, false, false, true, false);
      assertThat(all)
          .filteredOn(r -> !r.record().accepted())
          .allSatisfy(
              r -> {
                assertThat(r.record().value()).hasSize(MAX_RECORD + 1);
                assertThat(r.record().rejections())
                    .extracting(rejection -> rejection.reason())
                    .containsExactly(RejectReason.TOO_LARGE);
              });
      assertThat(value(all.get(1))).isEqualTo(longest);
      assertThat(value(all.get(3))).isEqualTo(event(3, 0));
      assertThat(value(all.get(6))).isEqualTo(event(4, 0));
    }
  }

  @Test
  void aBatchIsBoundedByItsBytes() throws IOException {
    List<String> events = events(1_000, 10_000);
    Path file = file("a.jsonl", bytes(String.join("\n", events)));
    List<List<Read>> batches = batches(file, null);
    assertThat(batches).hasSize(3);
    assertThat(batches)
        .allMatch(
            batch ->
                batch.stream().mapToInt(r -> r.record().value().length).sum()
                    <= JsonLines.BATCH_BYTES + MAX_RECORD);
    assertThat(batches.stream().flatMap(List::stream).map(JsonLinesTest::value).toList())
        .isEqualTo(events);
  }

  @Test
  void theFolderNamesTheTopic() throws IOException {
    assertThat(read(file("install/a.jsonl", bytes("1")), null).get(0).record().origin().topic())
        .isEqualTo("install");
    assertThat(read(file("other/a.jsonl", bytes("1")), null).get(0).record().origin().topic())
        .isEqualTo("files");
  }

  @Test
  void onlyVisibleJsonLinesAreEnumerated() throws IOException {
    for (String name :
        List.of(
            "a.jsonl",
            "install/b.jsonl.gz",
            "install/day/c.jsonl",
            "install/_SUCCESS",
            "install/.b.jsonl",
            "_tmp/d.jsonl",
            "e.json",
            "f.gz",
            "g.jsonl.tmp")) {
      file(name, bytes("1"));
    }
    org.apache.flink.core.fs.Path[] paths = {new org.apache.flink.core.fs.Path(dir.toUri())};
    assertThat(new JsonLinesFiles().enumerateSplits(paths, 1))
        .extracting(split -> split.path().getName())
        .containsExactlyInAnyOrder("a.jsonl", "b.jsonl.gz", "c.jsonl");
    org.apache.flink.core.fs.Path[] hidden = {
      new org.apache.flink.core.fs.Path(dir.resolve("_tmp").toUri())
    };
    assertThatThrownBy(() -> new JsonLinesFiles().enumerateSplits(hidden, 1))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining("_tmp/', where there is no file *.jsonl or *.jsonl.gz");
  }
}
