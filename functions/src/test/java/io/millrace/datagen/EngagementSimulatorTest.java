package io.millrace.datagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.datagen.SimulatedRecord.Verdict;
import io.millrace.event.Event;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.identity.Fingerprint;
import io.millrace.validation.Validate;
import io.millrace.validation.ValidationRules;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngagementSimulatorTest {
  private static final long MINUTE = 60_000;
  private static final SimulatorOptions CLEAN = SimulatorOptions.of(40_000, 7).withUsers(2_000);
  private static final SimulatorOptions DIRTY =
      CLEAN.withMalformed(0.05).withDuplicates(0.05).withLate(0.05).withFuture(0.02);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Validate validate =
      new Validate(
          ValidationRules.DEFAULTS,
          new JsonEventDecoder(new JsonEventDecoder.Limits(1 << 20, 32, 64, 1024, 128, true)));

  private static List<SimulatedRecord> records(SimulatorOptions options) {
    List<SimulatedRecord> records = new ArrayList<>();
    new EngagementSimulator(options).forEachRemaining(records::add);
    return records;
  }

  private static Truth truth(SimulatorOptions options) {
    EngagementSimulator simulator = new EngagementSimulator(options);
    simulator.forEachRemaining(sent -> {});
    return simulator.truth();
  }

  private static String sha256(SimulatorOptions options) throws NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (SimulatedRecord sent : records(options)) {
      digest.update(sent.topic().getBytes(StandardCharsets.UTF_8));
      digest.update(sent.key() == null ? new byte[] {0} : sent.key());
      digest.update(sent.value() == null ? new byte[] {0} : sent.value());
      digest.update(ByteBuffer.allocate(Long.BYTES).putLong(sent.timestamp()).array());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Test
  void theSameSeedGivesTheSameBytes() throws Exception {
    assertThat(sha256(DIRTY))
        .isEqualTo("0f5710949c242a6661a49c24a8cf07b0445b2aae506a1d457942c4d1e06483af")
        .isEqualTo(sha256(DIRTY));
    assertThat(sha256(SimulatorOptions.of(40_000, 8))).isNotEqualTo(sha256(CLEAN));
    assertThat(truth(DIRTY)).isEqualTo(truth(DIRTY));
  }

  @Test
  void theTruthGrowsWithTheStream() {
    EngagementSimulator simulator = new EngagementSimulator(DIRTY);
    Truth.Tally tally = new Truth.Tally();
    for (int i = 0; i < 1_000; i++) {
      SimulatedRecord sent = simulator.next();
      tally.add(sent, sent.timestamp());
      if (i % 100 == 0) {
        assertThat(simulator.truth()).isEqualTo(tally.truth());
      }
    }
  }

  @Test
  void theTruthIsWhatValidationAndDeduplicationArriveAt() {
    EngagementSimulator simulator = new EngagementSimulator(DIRTY);
    Truth.Tally recount = new Truth.Tally();
    Recount judge = new Recount();
    simulator.forEachRemaining(
        sent -> {
          Received received = receive(sent.topic(), sent.timestamp(), sent.value());
          judge.add(recount, received, sent);
        });
    assertThat(simulator.truth()).isEqualTo(recount.truth());
    assertThat(simulator.truth().uniqueEvents()).isEqualTo(judge.seen.size());
  }

  private Received receive(String topic, long kafkaTimestamp, byte[] value) {
    long ingestedAt = Instant.parse("2026-02-01T00:00:00Z").toEpochMilli();
    Origin origin = new Origin(topic, 0, 0, kafkaTimestamp, ingestedAt);
    return validate.validate(origin, null, List.of(), value);
  }

  /** Counts what the real rules say of the bytes, with nothing known of how they came about. */
  private static final class Recount {
    private final Set<List<Object>> seen = new HashSet<>();

    void add(Truth.Tally tally, Received received, SimulatedRecord sent) {
      Event event = received.event();
      Set<RejectReason> reasons =
          received.rejections().stream().map(Rejection::reason).collect(Collectors.toSet());
      Verdict verdict = Verdict.REJECTED;
      if (event != null) {
        boolean first = seen.add(List.of(event.userId(), event.eventId(), event.timestamp()));
        verdict = first ? Verdict.ACCEPTED : Verdict.DUPLICATE;
      }
      long eventTime = event == null ? 0 : event.timestamp();
      long identity =
          event == null
              ? 0
              : Fingerprint.of(event.userId() + "\n" + event.eventId(), eventTime).low();
      boolean late = verdict == Verdict.ACCEPTED && event.receivedAt() - eventTime >= 20 * MINUTE;
      SimulatedRecord.Fate found =
          new SimulatedRecord.Fate(
              verdict, identity, eventTime, received.ledgerTime(), late, null, reasons);
      SimulatedRecord recounted =
          new SimulatedRecord(sent.topic(), sent.key(), sent.value(), sent.timestamp(), found);
      tally.add(recounted, received.ledgerTime());
    }
  }

  @Test
  void aTruthThatContradictsItsRecordsIsRefused() {
    assertThat(truthOf(fate(Verdict.ACCEPTED, 1), fate(Verdict.DUPLICATE, 1)).uniqueEvents())
        .isEqualTo(1);
    assertThat(truthOf(fate(Verdict.ACCEPTED, 0), fate(Verdict.ACCEPTED, 1)).uniqueEvents())
        .isEqualTo(2);
    assertThatThrownBy(() -> truthOf(fate(Verdict.ACCEPTED, 1), fate(Verdict.ACCEPTED, 1)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> truthOf(fate(Verdict.ACCEPTED, 1), fate(Verdict.DUPLICATE, 2)))
        .isInstanceOf(IllegalStateException.class);
  }

  private static SimulatedRecord.Fate fate(Verdict verdict, long identity) {
    return new SimulatedRecord.Fate(verdict, identity, 0, 0, false, null, Set.of());
  }

  private static Truth truthOf(SimulatedRecord.Fate... fates) {
    Truth.Tally tally = new Truth.Tally();
    for (SimulatedRecord.Fate fate : fates) {
      tally.add(new SimulatedRecord("session", null, null, 0, fate), 0);
    }
    return tally.truth();
  }

  @Test
  void sharesAreAsAsked() {
    Truth truth = truth(DIRTY);
    assertThat(truth.total().received()).isEqualTo(40_000);
    assertThat(truth.total().duplicates() / 40_000.0).isCloseTo(0.05, within(0.005));
    assertThat(truth.sentLate() / 40_000.0).isCloseTo(0.05, within(0.005));
    long future = truth.total().rejectedByReason().get(RejectReason.TIMESTAMP_IN_FUTURE);
    assertThat(future / 40_000.0).isCloseTo(0.02, within(0.003));
    assertThat((truth.total().rejected() - future) / 40_000.0).isCloseTo(0.05, within(0.005));

    Truth clean = truth(CLEAN);
    assertThat(clean.total()).isEqualTo(new Truth.Counts(40_000, 40_000, 0, 0, Map.of()));
    assertThat(clean.sentLate()).isZero();
  }

  @Test
  void recordsComeInTheOrderOfTheirArrival() {
    Map<String, SimulatedRecord> originals = new HashMap<>();
    long before = Long.MIN_VALUE;
    boolean outOfOrder = false;
    long latestEvent = Long.MIN_VALUE;
    for (SimulatedRecord sent : records(DIRTY)) {
      assertThat(sent.timestamp()).isGreaterThanOrEqualTo(before);
      before = sent.timestamp();
      SimulatedRecord.Fate fate = sent.fate();
      long delay = sent.timestamp() - fate.eventTime();
      switch (fate.verdict()) {
        case ACCEPTED -> {
          if (fate.sentLate()) {
            assertThat(delay).isBetween(20 * MINUTE, 180 * MINUTE);
          } else {
            assertThat(delay).isBetween(0L, MINUTE);
          }
          outOfOrder |= fate.eventTime() < latestEvent;
          latestEvent = Math.max(latestEvent, fate.eventTime());
          originals.put(text(sent.value()), sent);
        }
        case DUPLICATE -> {
          SimulatedRecord original = originals.get(text(sent.value()));
          assertThat(original.topic()).isEqualTo(sent.topic());
          assertThat(original.key()).isEqualTo(sent.key());
          assertThat(sent.timestamp() - original.timestamp()).isBetween(1000L, 120 * MINUTE);
        }
        case REJECTED -> assertThat(fate.reasons()).isNotEmpty();
      }
    }
    assertThat(outOfOrder).isTrue();
  }

  @Test
  void everyWayToBeMalformedOccursAndHasItsReasons() {
    Map<Malformation, Integer> seen = new EnumMap<>(Malformation.class);
    int withoutKey = 0;
    for (SimulatedRecord sent : records(DIRTY)) {
      Malformation how = sent.fate().malformation();
      if (how != null) {
        seen.merge(how, 1, Integer::sum);
        Received received = receive(sent.topic(), sent.timestamp(), sent.value());
        assertThat(received.rejections())
            .as(how + ": " + text(sent.value()))
            .extracting(Rejection::reason)
            .containsOnlyOnceElementsOf(how.reasons())
            .hasSameSizeAs(how.reasons());
      }
      withoutKey += sent.key() == null ? 1 : 0;
    }
    assertThat(seen.keySet()).isEqualTo(EnumSet.complementOf(EnumSet.of(Malformation.HUGE_VALUE)));
    assertThat(withoutKey).isBetween(50, 400);
    Set<RejectReason> produced = EnumSet.noneOf(RejectReason.class);
    Arrays.stream(Malformation.values()).forEach(how -> produced.addAll(how.reasons()));
    assertThat(produced)
        .isEqualTo(
            EnumSet.complementOf(
                EnumSet.of(
                    RejectReason.TIMESTAMP_IN_FUTURE,
                    RejectReason.TIMESTAMP_TOO_OLD,
                    RejectReason.TYPE_NOT_ALLOWED_ON_TOPIC,
                    RejectReason.INTERNAL_ERROR)));
  }

  @Test
  void hugeValuesAreFewAndOnlyOnDemand() {
    List<SimulatedRecord> huge =
        records(DIRTY.withHugeValues()).stream()
            .filter(sent -> sent.value() != null && sent.value().length > EventJson.HUGE_BYTES)
            .toList();
    assertThat(huge).isNotEmpty().hasSizeLessThan(10);
    assertThat(huge)
        .allSatisfy(
            sent ->
                assertThat(receive(sent.topic(), sent.timestamp(), sent.value()).rejections())
                    .extracting(Rejection::reason)
                    .containsExactly(RejectReason.TOO_LARGE));
  }

  @Test
  void theSpanIsKept() {
    for (Duration span : List.of(Duration.ofHours(1), Duration.ofHours(24), Duration.ofDays(3))) {
      Instant start = Instant.parse("2025-12-31T22:00:00Z");
      List<SimulatedRecord> records = records(CLEAN.withTime(start, span));
      long first = records.get(0).fate().eventTime();
      long last = records.get(records.size() - 1).fate().eventTime();
      assertThat(first).isGreaterThanOrEqualTo(start.toEpochMilli());
      assertThat((last - first) / (double) span.toMillis()).isCloseTo(1, within(0.15));
    }
  }

  @Test
  void valuesHaveTheSizeOfRealEvents() {
    double average =
        records(CLEAN).stream().mapToInt(sent -> sent.value().length).average().orElseThrow();
    assertThat(average).isBetween(320.0, 380.0);
  }

  @Test
  void usersBehaveLikeUsers() throws IOException {
    Map<String, List<JsonNode>> byUser = new HashMap<>();
    Map<String, Set<String>> values = new TreeMap<>();
    Map<String, Integer> types = new HashMap<>();
    for (SimulatedRecord sent : records(CLEAN)) {
      JsonNode event = JSON.readTree(sent.value());
      String type = event.path("event_type").asText();
      String topic =
          switch (type) {
            case "install", "view_notification", "open_notification" -> type;
            default -> "session";
          };
      assertThat(sent.topic()).isEqualTo(topic);
      assertThat(text(sent.key())).isEqualTo(event.path("user_id").asText());
      types.merge(type, 1, Integer::sum);
      byUser.computeIfAbsent(text(sent.key()), user -> new ArrayList<>()).add(event);
      for (String path :
          List.of(
              "/device_info/device_type",
              "/device_info/os_version",
              "/device_info/app_version",
              "/geo_location/country",
              "/geo_location/city",
              "/event_id")) {
        values.computeIfAbsent(path, p -> new TreeSet<>()).add(event.at(path).asText());
      }
    }
    assertThat(values.get("/device_info/device_type")).hasSize(12);
    assertThat(values.get("/device_info/app_version")).hasSize(8);
    assertThat(values.get("/geo_location/country")).hasSize(25);
    assertThat(values.get("/geo_location/city")).contains("", "München", "東京");
    assertThat(values.get("/event_id"))
        .hasSize(40_000)
        .allMatch(
            id ->
                id.matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    assertThat(types.get("session_end") / (double) types.get("session_start"))
        .isCloseTo(0.85, within(0.03));
    assertThat(types.get("open_notification")).isLessThan(types.get("view_notification"));

    List<Integer> activity =
        byUser.values().stream().map(List::size).sorted((a, b) -> b - a).toList();
    assertThat(activity.get(0)).isGreaterThan(20 * activity.get(activity.size() / 2));
    int upgraded = 0;
    for (List<JsonNode> events : byUser.values()) {
      Set<String> versions = new HashSet<>();
      int installs = 0;
      for (JsonNode event : events) {
        versions.add(event.at("/device_info/app_version").asText());
        installs += event.path("event_type").asText().equals("install") ? 1 : 0;
      }
      assertThat(installs).isLessThanOrEqualTo(1);
      upgraded += versions.size() > 1 ? 1 : 0;
    }
    assertThat(upgraded).isGreaterThan(20);
    assertThat(types.get("install")).isGreaterThan(100);
  }

  @Test
  void sessionsAreToldApartByTheirGaps() {
    Map<String, List<Event>> byUser = new HashMap<>();
    for (SimulatedRecord sent : records(CLEAN)) {
      Event event = receive(sent.topic(), sent.timestamp(), sent.value()).event();
      byUser.computeIfAbsent(event.userId(), user -> new ArrayList<>()).add(event);
    }
    int sessions = 0;
    for (List<Event> events : byUser.values()) {
      events.sort((a, b) -> Long.compare(a.timestamp(), b.timestamp()));
      for (int i = 1; i < events.size(); i++) {
        Event before = events.get(i - 1);
        Event event = events.get(i);
        long gap = event.timestamp() - before.timestamp();
        if (before.sessionId() != null && event.sessionId() != null) {
          boolean same = before.sessionId().equals(event.sessionId());
          assertThat(gap < 30 * MINUTE).isEqualTo(same);
          sessions += same ? 0 : 1;
        }
      }
    }
    assertThat(sessions).isGreaterThan(1_000);
  }

  @Test
  void manyEventsOfFewUsersAreStillSent() {
    assertThat(truth(DIRTY.withUsers(1)).total().received()).isEqualTo(40_000);
  }

  @Test
  void filesHoldTheSameRecordsAndHaveTheirOwnTruth(@TempDir Path dir) throws IOException {
    Truth truth = SimulatedFiles.write(DIRTY, dir, 5_000);
    Truth.Tally recount = new Truth.Tally();
    Recount judge = new Recount();
    List<Path> files;
    try (Stream<Path> found = Files.walk(dir)) {
      files = found.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      String topic = file.getParent().getFileName().toString();
      for (byte[] line : lines(Files.readAllBytes(file))) {
        Received received = receive(topic, Origin.NO_TIME, line);
        SimulatedRecord sent = new SimulatedRecord(topic, null, line, 0, null);
        judge.add(recount, received, sent);
      }
    }
    assertThat(files)
        .extracting(file -> dir.relativize(file).toString())
        .contains("install/part-0000.jsonl", "session/part-0000.jsonl", "session/part-0006.jsonl");
    assertThat(truth).isEqualTo(recount.truth());
    assertThat(truth.total().received()).isBetween(39_000L, 39_999L);
    assertThat(truth.total().rejectedByReason()).doesNotContainKey(RejectReason.NULL_VALUE);
    assertThat(truth.byTopicAndHour()).containsKey(new Truth.TopicHour("session", 0));
  }

  private static List<byte[]> lines(byte[] file) {
    List<byte[]> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < file.length; i++) {
      if (file[i] == '\n') {
        lines.add(Arrays.copyOfRange(file, from, i));
        from = i + 1;
      }
    }
    return lines;
  }

  @Test
  void impossibleOptionsAreRefused() {
    assertThatThrownBy(() -> CLEAN.withDuplicates(0.6))
        .hasMessage(
            "malformed + 2 x duplicates + late + future must be at most 1: every duplicate needs"
                + " its original");
    assertThatThrownBy(() -> CLEAN.withLate(-0.1)).hasMessage("shares must not be negative");
    assertThatThrownBy(() -> CLEAN.withUsers(0)).hasMessage("users must be positive, was 0");
    assertThatThrownBy(() -> SimulatorOptions.of(-1, 1))
        .hasMessage("events must not be negative, was -1");
    EngagementSimulator none = new EngagementSimulator(SimulatorOptions.of(0, 1));
    assertThat(none.hasNext()).isFalse();
    assertThatThrownBy(none::next).isInstanceOf(NoSuchElementException.class);
    assertThatThrownBy(() -> new Truth.Counts(3, 1, 1, 0, Map.of()))
        .hasMessage("3 received, but 1 + 1 + 0");
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "null" : new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
