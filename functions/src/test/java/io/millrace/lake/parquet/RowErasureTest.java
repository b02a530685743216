package io.millrace.lake.parquet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.AppEvent;
import io.millrace.event.DeadLetter;
import io.millrace.event.Event;
import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.Records;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files without a person, as another reader sees them. */
class RowErasureTest {
  private static final PersonRows ANN = new PersonRows(Set.of("ann", "00-pseudonym"));

  @TempDir Path dir;

  private static org.apache.flink.core.fs.Path flink(Path file) {
    return new org.apache.flink.core.fs.Path(file.toUri());
  }

  private Path erased(Path file) throws Exception {
    Path target = dir.resolve("erased");
    RowErasure.write(flink(file), ANN, target);
    return target;
  }

  @Test
  void allOtherRowsStayWithEveryColumnAndAllThatTheFooterSays() throws Exception {
    List<AppEvent> rows = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      Event event = i % 500 == 7 ? Records.full() : Records.event("e" + i, "user" + i % 7, i);
      rows.add(new AppEvent(i % 100 == 3 ? event.withUserId("ann") : event, i % 2 == 0, true));
    }
    rows.add(new AppEvent(Records.event("pseudonym", "00-pseudonym", 1), false, true));
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), rows);
    Path target = erased(file);

    assertThat(RowErasure.count(flink(file), ANN)).isEqualTo(new RowErasure.Count(5_001, 51));
    assertThat(RowErasure.count(flink(target), ANN)).isEqualTo(new RowErasure.Count(4_950, 0));
    assertThat(Files.size(target)).isEqualTo(Files.size(file));
    String others = "select * from %s where user_id not in ('ann', '00-pseudonym') order by all";
    assertThat(ParquetFiles.query(target, "select * from %s order by all"))
        .hasSize(4_950)
        .isEqualTo(ParquetFiles.query(file, others));
    assertThat(ParquetFiles.reader(target).getFileMetaData().getSchema())
        .isEqualTo(ParquetFiles.reader(file).getFileMetaData().getSchema());
    Map<String, String> before = ParquetFooter.metadata(flink(file));
    assertThat(ParquetFooter.metadata(flink(target)))
        .containsAllEntriesOf(
            Map.of(
                Lineage.ROWS,
                "4950",
                Lineage.SOURCE_OFFSETS,
                before.get(Lineage.SOURCE_OFFSETS),
                Lineage.WRITTEN_AT,
                before.get(Lineage.WRITTEN_AT)))
        .containsKeys(before.keySet().toArray(String[]::new));
    // The least id stands in the statistics, which are not compressed.
    assertThat(new String(Files.readAllBytes(file), UTF_8)).contains("00-pseudonym");
    assertThat(new String(Files.readAllBytes(target), UTF_8)).doesNotContain("00-pseudonym");
  }

  @Test
  void aFileOfOnePersonIsLeftWithoutRows() throws Exception {
    Path file =
        ParquetFiles.write(
            dir.resolve("f"),
            new AppEventTable(),
            List.of(new AppEvent(Records.event("e", "ann", 1), false, true)));
    Path target = erased(file);
    assertThat(ParquetFiles.query(target, "select count(*) from %s")).containsExactly("0");
    assertThat(Files.size(target)).isEqualTo(Files.size(file));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      nullValues = "null",
      value = {
        "ann|{\"user_id\":\"bob\"}|true",
        "bob|{\"user_id\":\"ann\"}|true",
        "null|{\"event_id\":\"e\", \"user_id\" : \"\\u0061nn\"}|true",
        "null|{\"user_id\":\"bob\",\"user_id\":\"ann\"}|true",
        "null|{\"user_id\":\"anna\",\"properties\":{\"friend\":\"ann\"}}|false",
        "null|{\"properties\":{\"user_id\":\"ann\"}}|false",
        "null|{\"user_id\":null}|false",
        "null|{\"user_id\":{\"id\":[1,\"ann\"]},\"event_id\":\"e\"}|true",
        "null|{\"user_id\":{\"id\":[]},\"event_id\":\"ann\"}|false",
        "null|{\"user_id\":\"ann\"|true",
        "null|{\"user_id\":\"anna\"|false",
        "null|ann|true",
        "null|[\"ann\"]|true",
        "null|null|false"
      })
  void recordsAreAPersonsByKeyOrUserAndWhatCannotBeParsedByTheWord(
      @Nullable String key, @Nullable String value, boolean isAnns) throws Exception {
    Origin origin = Records.origin("session", 0, 5);
    byte[] keyBytes = key == null ? null : key.getBytes(UTF_8);
    byte[] valueBytes = value == null ? null : value.getBytes(UTF_8);
    List<Rejection> why = List.of(new Rejection(RejectReason.BAD_TYPE, "", "wrong"));
    List<Header> headers = List.of(new Header("h", new byte[] {1}));
    Path raw =
        ParquetFiles.write(
            dir.resolve("raw"),
            new RawEventTable(),
            List.of(new Received(origin, keyBytes, headers, valueBytes, 0, null, why)));
    Path letters =
        ParquetFiles.write(
            dir.resolve("letters"),
            new DeadLetterTable(),
            List.of(new DeadLetter(origin, 0, why, keyBytes, headers, valueBytes, "0.1.0", 1)));
    assertThat(RowErasure.count(flink(raw), ANN).ofPerson()).isEqualTo(isAnns ? 1 : 0);
    assertThat(RowErasure.count(flink(letters), ANN).ofPerson()).isEqualTo(isAnns ? 1 : 0);
    for (Path file : List.of(raw, letters)) {
      Path target = erased(file);
      assertThat(ParquetFiles.query(target, "select * from %s"))
          .isEqualTo(isAnns ? List.of() : ParquetFiles.query(file, "select * from %s"));
    }
  }

  /** Bytes that are no text are kept as base64, and looked through as what they are. */
  @Test
  void bytesThatAreNoTextAreLookedThrough() throws Exception {
    byte[] value = {'a', 'n', 'n', (byte) 0xC3, '(', ' ', 'a', 'n', 'n', '!'};
    Path letters =
        ParquetFiles.write(
            dir.resolve("letters"),
            new DeadLetterTable(),
            List.of(
                new DeadLetter(
                    Records.origin("session", 0, 5),
                    0,
                    List.of(new Rejection(RejectReason.NOT_UTF8, "", "wrong")),
                    null,
                    List.of(),
                    value,
                    "0.1.0",
                    1)));
    assertThat(ParquetFiles.query(letters, "select raw_encoding from %s"))
        .containsExactly("base64");
    assertThat(RowErasure.count(flink(letters), ANN).ofPerson()).isEqualTo(1);
  }

  @Test
  void anEmptyIdIsNobody() {
    assertThatThrownBy(() -> new PersonRows(Set.of("")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("an id must not be empty");
  }
}
