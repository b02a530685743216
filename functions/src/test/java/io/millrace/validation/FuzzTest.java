package io.millrace.validation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.event.AppEvent;
import io.millrace.event.DeadLetter;
import io.millrace.event.Event;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.Records;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.identity.Deduplicate;
import io.millrace.rollup.RollupSpec;
import io.millrace.session.SessionRules;
import io.millrace.session.Sessionize;
import io.millrace.timeline.TimelineOptions;
import io.millrace.timeline.UserTimeline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

/** A million damaged records: none stops the job, and every one is accounted for. */
class FuzzTest {
  private static final int RECORDS = 1_000_000;
  private static final int COMPARED_EVERY = 20;
  private static final int MAX_RECORD = 8_192;
  private static final long T = Records.T;
  private static final long AHEAD = 600_000L;
  private static final Duration LATENESS = Duration.ofMinutes(10);
  private static final String RUN = "run";
  private static final long LAST_TIME = 253_402_300_799_999L;
  private static final Pattern TYPE = Pattern.compile("[a-z][a-z0-9_]{0,63}");
  private static final ObjectMapper TREES =
      new ObjectMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder().maxNumberLength(MAX_RECORD).build())
              .build());

  private static final ValidationRules RULES =
      new ValidationRules(
          MAX_RECORD,
          128,
          256,
          Duration.ofMillis(AHEAD),
          Duration.ofDays(30),
          Map.of("typed", Set.of("view_notification", "install")));

  private final Mutator mutator = new Mutator(20_260_105, MAX_RECORD);
  private final Validate validate =
      new Validate(
          RULES,
          new JsonEventDecoder(new JsonEventDecoder.Limits(MAX_RECORD, 32, 64, 1024, 128, true)));
  private final TypeSerializer<Received> wire =
      TypeInformation.of(Received.class).createSerializer(new SerializerConfigImpl());

  private final Map<RejectReason, Integer> byReason = new EnumMap<>(RejectReason.class);
  private final Deduplicate deduplicate = new Deduplicate(Duration.ofHours(1));
  private final OneInputStreamOperatorTestHarness<Received, Event> admit;
  private final KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent> timeline;
  private final Map<List<Object>, LedgerEntry> ledger = new HashMap<>();

  // What the operators must arrive at, from an exact set of all events ever seen.
  private final Set<String> exact = new HashSet<>();
  private long watermark = Long.MIN_VALUE;
  private long accepted;
  private long unchecked;
  private long late;
  private long rejected;
  private long duplicates;

  FuzzTest() throws Exception {
    admit = new OneInputStreamOperatorTestHarness<>(new Admit(false, "1", RUN, "streaming"));
    TimelineOptions options =
        new TimelineOptions(
            LATENESS,
            deduplicate,
            new Sessionize(SessionRules.DEFAULTS),
            RollupSpec.defaults(),
            Duration.ofMinutes(40),
            Duration.ofSeconds(5),
            1_000,
            64 << 20,
            RUN,
            false);
    timeline =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new UserTimeline(options), Event::userId, Types.STRING);
    timeline.setStateBackend(new HashMapStateBackend());
  }

  @Test
  void everyRecordIsAcceptedRejectedOrADuplicateAndNoneThrows() throws Exception {
    admit.open();
    timeline.open();
    byte[] other = mutator.valid(T);
    for (int i = 0; i < RECORDS; i++) {
      long now = T + i * 20L;
      byte[] valid = mutator.valid(now);
      byte[] value = mutator.damage(valid, other);
      other = valid;
      judge(i, now, value);
      if (i % 10_000 == 0) {
        checkpoint(i);
        advanceTo(now - 120_000);
      }
    }
    checkpoint(RECORDS);
    LedgerEntry sum = sum();
    System.out.println(sum + ", " + unchecked + " unchecked; " + byReason);
    assertThat(sum)
        .isEqualTo(
            new LedgerEntry(
                RUN, "streaming", 0, "", 0, RECORDS, accepted, rejected, duplicates, late));
    assertThat(ledger).hasSizeGreaterThan(2 * 5);
    assertThat(ledger.values()).allSatisfy(e -> assertThat(e.discrepancy()).isZero());
    assertThat(accepted).isGreaterThan(RECORDS / 20);
    assertThat(rejected).isGreaterThan(RECORDS / 5);
    assertThat(duplicates).isGreaterThan(RECORDS / 1_000);
    assertThat(late).isPositive();
    assertThat(unchecked).isPositive();
    assertThat(byReason).doesNotContainKey(RejectReason.INTERNAL_ERROR);
    assertThat(byReason.keySet()).hasSize(RejectReason.values().length - 1);
    advanceTo(Long.MAX_VALUE);
    assertThat(timeline.numEventTimeTimers()).isZero();
    assertThat(timeline.numKeyedStateEntries()).isZero();
    admit.close();
    timeline.close();
  }

  private void judge(int number, long now, @Nullable byte[] value) throws Exception {
    String topic = number % 7 == 0 ? "typed" : "events";
    boolean hasKafkaTime = number % 5 != 0;
    Origin origin = new Origin(topic, 0, number, hasKafkaTime ? now : Origin.NO_TIME, now + 5);
    Received record = validate.validate(origin, null, List.of(), value);
    admit.processElement(record, now);
    List<Event> admitted = admit.extractOutputValues();
    admit.getOutput().clear();
    List<DeadLetter> letters = drain(admit.getSideOutput(Admit.DEAD_LETTERS));
    if (record.accepted()) {
      check(record.event(), topic);
      require(admitted.equals(List.of(record.event())) && letters.isEmpty(), record);
      deduplicate(record.event());
    } else {
      rejected++;
      check(record.rejections());
      require(admitted.isEmpty() && letters.size() == 1, record);
    }
    if (number % COMPARED_EVERY == 0) {
      compareWithATree(record);
      compareWithTheWire(record);
    }
  }

  private void deduplicate(Event event) throws Exception {
    timeline.processElement(event, event.timestamp());
    List<AppEvent> out = timeline.extractOutputValues();
    timeline.getOutput().clear();
    boolean started = watermark != Long.MIN_VALUE;
    boolean isChecked = !started || event.timestamp() > watermark - deduplicate.ttl().toMillis();
    boolean isLate = started && event.timestamp() <= watermark - LATENESS.toMillis();
    String identity = event.userId() + "\n" + event.eventId() + "\n" + event.timestamp();
    if (isChecked && !exact.add(identity)) {
      duplicates++;
      require(out.isEmpty(), event);
      return;
    }
    accepted++;
    late += isLate ? 1 : 0;
    unchecked += isChecked ? 0 : 1;
    require(out.equals(List.of(new AppEvent(event, isLate, isChecked))), event);
  }

  /** An assertion without the cost of building one for each of a million records. */
  private static void require(boolean holds, Object what) {
    if (!holds) {
      throw new AssertionError("not judged as expected: " + what);
    }
  }

  private void advanceTo(long time) throws Exception {
    watermark = time;
    timeline.processWatermark(time);
    timeline.getOutput().clear();
  }

  private void checkpoint(long id) throws Exception {
    admit.prepareSnapshotPreBarrier(id);
    timeline.prepareSnapshotPreBarrier(id);
    for (LedgerEntry e : drain(admit.getSideOutput(Admit.LEDGER))) {
      add(e);
    }
    for (LedgerEntry e : drain(timeline.getSideOutput(UserTimeline.LEDGER))) {
      add(e);
    }
  }

  private void add(LedgerEntry e) {
    ledger.merge(List.of(e.topic(), e.hour()), e, LedgerEntry::plus);
  }

  private LedgerEntry sum() {
    LedgerEntry sum = new LedgerEntry(RUN, "streaming", 0, "", 0, 0, 0, 0, 0, 0);
    for (LedgerEntry e : ledger.values()) {
      sum = sum.plus(e);
    }
    return sum;
  }

  private static <T> List<T> drain(@Nullable Queue<StreamRecord<T>> side) {
    if (side == null || side.isEmpty()) {
      return List.of();
    }
    List<T> values = side.stream().map(StreamRecord::getValue).toList();
    side.clear();
    return values;
  }

  /** The contract of an event, written down a second time. */
  private static void check(Event e, String topic) {
    boolean ids =
        isText(e.eventId(), 1, 128)
            && isText(e.userId(), 1, 128)
            && (e.sessionId() == null || isText(e.sessionId(), 1, 128));
    boolean type =
        TYPE.matcher(e.eventType()).matches()
            && (topic.equals("events")
                || e.eventType().equals("view_notification")
                || e.eventType().equals("install"));
    boolean texts =
        isOptionalText(e.device().deviceType())
            && isOptionalText(e.device().osVersion())
            && isOptionalText(e.device().appVersion())
            && isOptionalText(e.geo().country())
            && isOptionalText(e.geo().region())
            && isOptionalText(e.geo().city());
    boolean properties =
        e.properties().size() <= 64
            && e.properties().entrySet().stream()
                .allMatch(p -> isText(p.getKey(), 0, 128) && isText(p.getValue(), 0, 1024));
    if (!ids || !type || !texts || !properties || !hasTimesInRange(e)) {
      throw new AssertionError("breaks the contract: " + e);
    }
  }

  private static boolean hasTimesInRange(Event e) {
    boolean inRange = e.timestamp() >= 0 && e.timestamp() <= LAST_TIME;
    boolean receivedInRange =
        e.receivedAt() == Long.MIN_VALUE || (e.receivedAt() >= 0 && e.receivedAt() <= LAST_TIME);
    long kafka = e.origin().kafkaTimestamp();
    long reference = kafka == Long.MIN_VALUE ? e.receivedAt() : kafka;
    boolean near =
        reference == Long.MIN_VALUE
            || (e.timestamp() <= reference + AHEAD
                && e.timestamp() >= reference - Duration.ofDays(30).toMillis());
    return inRange && receivedInRange && near;
  }

  private static boolean isOptionalText(@Nullable String text) {
    return text == null || isText(text, 0, 256);
  }

  private static boolean isText(String text, int min, int max) {
    return text.length() >= min
        && text.length() <= max
        && new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).equals(text);
  }

  private void check(List<Rejection> rejections) {
    if (rejections.isEmpty() || rejections.size() > 150) {
      throw new AssertionError(rejections.size() + " reasons: " + rejections);
    }
    for (Rejection r : rejections) {
      byReason.merge(r.reason(), 1, Integer::sum);
      if (r.message().isEmpty() || r.message().length() > 600 || r.field().length() > 140) {
        throw new AssertionError("not fit for a dead letter: " + r);
      }
    }
  }

  /** What was read is what another parser finds in the same bytes. */
  private static void compareWithATree(Received record) throws IOException {
    Event event = record.event();
    if (event == null) {
      return;
    }
    JsonNode tree = TREES.readTree(record.value());
    assertThat(event.eventId()).isEqualTo(tree.get("event_id").textValue());
    assertThat(event.userId()).isEqualTo(tree.get("user_id").textValue());
    assertThat(event.eventType()).isEqualTo(tree.get("event_type").textValue());
    if (tree.get("timestamp").isNumber()) {
      assertThat(event.timestamp()).isEqualTo(tree.get("timestamp").longValue());
    }
    assertThat(event.geo().city()).isEqualTo(tree.path("geo_location").path("city").textValue());
    assertThat(event.device().osVersion())
        .isEqualTo(tree.path("device_info").path("os_version").textValue());
    tree.path("properties")
        .properties()
        .forEach(
            p ->
                assertThat(event.properties().get(p.getKey())).isEqualTo(p.getValue().textValue()));
  }

  private void compareWithTheWire(Received record) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(512);
    wire.serialize(record, out);
    Received read = wire.deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
    assertThat(read.event()).isEqualTo(record.event());
    assertThat(read.value()).isEqualTo(record.value());
    assertThat(read.rejections()).hasSameSizeAs(record.rejections());
  }
}
