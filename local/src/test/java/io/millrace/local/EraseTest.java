package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.datagen.EngagementSimulator;
import io.millrace.datagen.SimulatedRecord;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.event.AppEvent;
import io.millrace.event.DeadLetter;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.identity.Pseudonymise;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.DeadLetterTable;
import io.millrace.lake.parquet.LakeTable;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.lake.publish.ErasureRecord;
import io.millrace.lake.publish.HourRange;
import io.millrace.validation.Validate;
import io.millrace.validation.ValidationRules;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong arguments of an erasure take a line, and leave nothing behind. */
class EraseTest {
  @TempDir private Path home;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--reason asked|Missing required option: '--user=ID'",
        "--user ann|Missing required option: '--reason=TEXT'",
        "--user ann --reason ann-asked|--reason has the id in it, which the record must not keep",
        "--user ann --reason asked --lake here|--lake is 'here', but must be s3://bucket/path or",
        "--user ann --reason asked --catalog-uri thrift://a:1|--catalog-uri needs --lake, too",
        "--user ann --reason asked --lake file:///a --pseudonym-key secret-of-ours"
            + "|--pseudonym-key: a secret is given by reference, as env:NAME or file:/path"
      })
  void wrongArgumentsAreNamed(String args, String said) {
    StringWriter errors = new StringWriter();
    assertThat(run(errors, args.split(" "))).isEqualTo(2);
    assertThat(errors.toString())
        .startsWith("scripts/erase: " + said)
        .doesNotContain("secret-of-ours");
  }

  @Test
  void aMistypedLakeGetsNoRecord() {
    StringWriter errors = new StringWriter();
    String lake = home.toUri().toString().replaceAll("/$", "");
    assertThat(run(errors, "--user", "ann", "--reason", "asked", "--lake", lake)).isEqualTo(2);
    assertThat(errors.toString())
        .startsWith("scripts/erase: --lake is 'file:")
        .contains("', but none of the tables that know users is there");
    assertThat(home).isEmptyDirectory();
  }

  /** What the backfill has read before would bring the person back. */
  @Test
  void aBackfillThatIsAtWorkIsToldAndNothingIsErased() throws Exception {
    Path root = emptyLake();
    BackfillPlan plan =
        new BackfillPlan(
            "backfill-1",
            "2026-03-02T00:00:00Z",
            HourRange.parse("2026-03-01T10..2026-03-01T11"),
            null,
            0,
            0,
            0,
            List.of(),
            new TreeMap<>(),
            BackfillPlan.Stage.PLANNED);
    for (BackfillPlan.Stage stage :
        List.of(BackfillPlan.Stage.PLANNED, BackfillPlan.Stage.WRITTEN)) {
      plan.at(stage).write(flink(root));
      StringWriter errors = new StringWriter();
      assertThat(erase(errors, root, "ann")).isEqualTo(1);
      assertThat(errors.toString())
          .isEqualTo(
              "scripts/erase failed: run backfill-1 recomputes the hours"
                  + " 2026-03-01T10..2026-03-01T11 since 2026-03-02T00:00:00Z, and could bring the"
                  + " person back: wait for it; where it was interrupted, run scripts/backfill"
                  + " --hours 2026-03-01T10..2026-03-01T11 again, or forget it by scripts/backfill"
                  + " --hours 2026-03-01T10..2026-03-01T11 --give-up; nothing was changed\n");
      assertThat(root.resolve("_erasures")).doesNotExist();
    }
    plan.at(BackfillPlan.Stage.SWAPPED).write(flink(root));
    StringWriter errors = new StringWriter();
    assertThat(erase(errors, root, "ann")).as(errors.toString()).isZero();
    assertThat(root.resolve("_erasures")).isNotEmptyDirectory();
  }

  /** A backfill waits for the end of each. */
  @Test
  void anErasureThatWasInterruptedEndsWithTheNextOfThePerson() throws Exception {
    Path root = emptyLake();
    ErasureRecord ofAnn = ErasureRecord.begin("e-1", "ann", "asked", "2026-01-01T00:00:00Z");
    ErasureRecord ofBob = ErasureRecord.begin("e-2", "bob", "asked", "2026-01-01T00:00:00Z");
    ofAnn.write(flink(root));
    ofBob.write(flink(root));
    StringWriter errors = new StringWriter();
    assertThat(erase(errors, root, "ann")).as(errors.toString()).isZero();
    assertThat(ErasureRecord.notEndedBy(Instant.now(), flink(root))).containsExactly(ofBob);
  }

  /** Raw records have the id as it was sent, events and sessions may have a pseudonym. */
  @Test
  void anotherNameOfThePersonIsHintedAt() throws Exception {
    String key =
        "file:" + Files.writeString(home.resolve("key"), "a-key-of-32-bytes-for-pseudonyms");
    String pseudonym = Pseudonymise.pseudonym("a-key-of-32-bytes-for-pseudonyms", "ann");
    Path root = home.resolve("lake");
    byte[] record =
        ("{\"event_id\":\"e\",\"user_id\":\"ann\",\"event_type\":\"purchase\","
                + "\"timestamp\":\"2026-03-01T10:00:00Z\"}")
            .getBytes(StandardCharsets.UTF_8);
    long time = Instant.parse("2026-03-01T10:00:00Z").toEpochMilli();
    Received sent =
        validate().validate(new Origin("session", 0, 0, time, time), null, List.of(), record);
    AppEvent event = new AppEvent(sent.event().withUserId(pseudonym), false, true);
    write(root, new RawEventTable(), Map.of(file(time, 0), List.of(sent)));
    write(root, new AppEventTable(), Map.of(file(time, 0), List.of(event)));

    assertThat(said(root, "ann"))
        .containsPattern("raw_app_events +1 +1 +1 +1\n")
        .endsWith(
            "No event and no session has the id: where the job has users.pseudonym-key they have its"
                + " pseudonym, which --pseudonym-key tells.\nNothing was changed.\n");
    assertThat(said(root, "ann", "--pseudonym-key", key)).doesNotContain("the id");
    String other =
        "file:" + Files.writeString(home.resolve("other"), "another-key-of-32-bytes-or-more-it-is");
    assertThat(said(root, "ann", "--pseudonym-key", other))
        .contains("or its pseudonym with this key: is it the job's?\n");
    assertThat(said(root, "bob", "--pseudonym-key", key))
        .contains("No row has the id as it was sent, or its pseudonym with this key.\n");
    assertThat(said(root, pseudonym))
        .contains(
            "The id looks like a pseudonym, which no raw record and no dead letter has: erase the id"
                + " as it was sent, too, with --pseudonym-key.\n");
  }

  /** What a dry run prints. */
  private String said(Path root, String user, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "--user",
                user,
                "--reason",
                "asked",
                "--dry-run",
                "--lake",
                root.toUri().toString().replaceAll("/$", "")));
    args.addAll(Arrays.asList(more));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter errors = new StringWriter();
    int code = run(out, errors, args.toArray(new String[0]));
    assertThat(code).as(errors.toString()).isZero();
    return out.toString(StandardCharsets.UTF_8);
  }

  private Path emptyLake() throws Exception {
    Path root = home.resolve("lake");
    Files.createDirectories(root.resolve(AppEventTable.SCHEMA.path()));
    return root;
  }

  private static org.apache.flink.core.fs.Path flink(Path path) {
    return new org.apache.flink.core.fs.Path(path.toUri());
  }

  private int erase(StringWriter errors, Path root, String user) {
    String lake = root.toUri().toString().replaceAll("/$", "");
    return run(errors, "--user", user, "--reason", "asked", "--lake", lake);
  }

  @Test
  void aShortPseudonymKeyIsRefused() throws Exception {
    Path key = Files.writeString(home.resolve("key"), "short");
    StringWriter errors = new StringWriter();
    assertThat(
            run(
                errors,
                "--user",
                "ann",
                "--reason",
                "asked",
                "--lake",
                "file:///a",
                "--pseudonym-key",
                "file:" + key))
        .isEqualTo(2);
    assertThat(errors.toString())
        .startsWith(
            "scripts/erase: --pseudonym-key: the pseudonym key has 5 bytes, at least 16 are"
                + " needed");
  }

  /** A lake of files, without a catalog: 24 hours, a table that knows no user among them. */
  @Test
  void onlyFilesOfThePersonAreReplaced() throws Exception {
    Path root = writeALake();
    String user = query(root, "SELECT mode(user_id) FROM app_events").get(0).get(0);
    String mine = "contains(hex(%s), hex(encode('" + user + "')))";
    Map<String, String> tables =
        Map.of(
            "app_events", "user_id = '" + user + "'",
            "raw_app_events", mine.formatted("value"),
            "dead_letters",
                mine.formatted(
                    "CASE raw_encoding WHEN 'utf8' THEN encode(raw) ELSE from_base64(raw) END"));
    Map<String, List<List<String>>> othersBefore = others(root, tables);
    Map<Path, byte[]> before = files(root);
    tables.forEach(
        (table, where) ->
            assertThat(query(root, "SELECT count(*) > 1 FROM " + table + " WHERE " + where))
                .as(table)
                .containsExactly(List.of("true")));

    StringWriter errors = new StringWriter();
    assertThat(erase(errors, root, user)).as(errors.toString()).isZero();

    tables.forEach(
        (table, where) ->
            assertThat(query(root, "SELECT count(*) FROM " + table + " WHERE " + where))
                .as(table)
                .containsExactly(List.of("0")));
    assertThat(others(root, tables)).isEqualTo(othersBefore);
    Map<Path, byte[]> after = files(root);
    assertThat(after.keySet()).isEqualTo(before.keySet());
    Set<Path> replaced = new TreeSet<>(before.keySet());
    replaced.removeIf(file -> Arrays.equals(before.get(file), after.get(file)));
    assertThat(replaced).hasSizeBetween(10, before.size() / 2);
    assertThat(replaced)
        .allSatisfy(file -> assertThat(after.get(file)).hasSameSizeAs(before.get(file)));
  }

  private static Map<String, List<List<String>>> others(Path root, Map<String, String> tables) {
    Map<String, List<List<String>>> rows = new TreeMap<>();
    tables.forEach(
        (table, where) ->
            rows.put(
                table,
                query(
                    root,
                    "SELECT * FROM %s WHERE coalesce(NOT (%s), true) ORDER BY ALL"
                        .formatted(table, where))));
    return rows;
  }

  private static List<List<String>> query(Path root, String sql) {
    try (LakeReader lake = LakeReader.ofFolder(root)) {
      return lake.query(sql).rows();
    }
  }

  private static Map<Path, byte[]> files(Path root) throws Exception {
    Map<Path, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path file : all.filter(f -> f.toString().endsWith(".parquet")).toList()) {
        files.put(file, Files.readAllBytes(file));
      }
    }
    return files;
  }

  private static Validate validate() {
    return new Validate(
        ValidationRules.DEFAULTS,
        new JsonEventDecoder(new JsonEventDecoder.Limits(1 << 20, 32, 64, 1024, 128, true)));
  }

  private Path writeALake() throws Exception {
    Path root = home.resolve("lake");
    Validate validate = validate();
    EngagementSimulator simulator =
        new EngagementSimulator(
            SimulatorOptions.of(6_000, 5)
                .withUsers(300)
                .withTime(Instant.parse("2026-01-05T00:00:00Z"), Duration.ofHours(24))
                .withMalformed(0.1));
    Map<String, List<AppEvent>> events = new TreeMap<>();
    Map<String, List<Received>> raw = new TreeMap<>();
    Map<String, List<DeadLetter>> letters = new TreeMap<>();
    for (long offset = 0; simulator.hasNext(); offset++) {
      SimulatedRecord record = simulator.next();
      Origin origin = new Origin(record.topic(), 0, offset, record.timestamp(), record.timestamp());
      Received received = validate.validate(origin, null, List.of(), record.value());
      String file = file(received.ledgerTime(), offset);
      raw.computeIfAbsent(file, f -> new ArrayList<>()).add(received);
      if (received.accepted()) {
        events
            .computeIfAbsent(file(received.event().timestamp(), offset), f -> new ArrayList<>())
            .add(new AppEvent(received.event(), false, true));
      } else {
        letters
            .computeIfAbsent(file, f -> new ArrayList<>())
            .add(
                new DeadLetter(
                    origin,
                    received.ledgerTime(),
                    received.rejections(),
                    null,
                    List.of(),
                    received.value(),
                    "0.1.0",
                    1));
      }
    }
    write(root, new AppEventTable(), events);
    write(root, new RawEventTable(), raw);
    write(root, new DeadLetterTable(), letters);
    return root;
  }

  /** Several files an hour: a person is not in each. */
  private static String file(long time, long offset) {
    return TimePartition.hour(time).path() + "/part-" + offset % 8 + ".parquet";
  }

  private static <T> void write(Path root, LakeTable<T> table, Map<String, List<T>> files)
      throws Exception {
    ParquetRowWriter.Factory<T> factory =
        new ParquetRowWriter.Factory<>(
            table, new Lineage("job", "0.1.0", "run"), ParquetOptions.DEFAULT);
    for (Map.Entry<String, List<T>> file : files.entrySet()) {
      Path path = root.resolve(table.schema().path()).resolve(file.getKey());
      Files.createDirectories(path.getParent());
      try (LocalDataOutputStream out = new LocalDataOutputStream(path.toFile())) {
        ParquetRowWriter<T> writer = factory.create(out);
        for (T row : file.getValue()) {
          writer.addElement(row);
        }
        writer.finish();
      }
    }
  }

  private int run(StringWriter errors, String... args) {
    return run(new ByteArrayOutputStream(), errors, args);
  }

  private int run(ByteArrayOutputStream out, StringWriter errors, String... args) {
    PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
    return Commands.run(new Erase(print, home, Map.of()), args, new PrintWriter(errors, true));
  }
}
