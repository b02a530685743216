package io.millrace.validation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.event.Event;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.Records;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.identity.Deduplicate;
import io.millrace.identity.Fingerprint;
import io.millrace.identity.SeenEvents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

/** A million damaged records: none stops the job, and every one is accounted for. */
class FuzzTest {
  private static final int RECORDS = 1_000_000;
  private static final int COMPARED_EVERY = 20;
  private static final int MAX_RECORD = 8_192;
  private static final long T = Records.T;
  private static final long AHEAD = 600_000L;
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
  private final Map<String, SeenEvents> users = new HashMap<>();
  private final Map<String, Spilled> spills = new HashMap<>();
  private final Set<String> exact = new HashSet<>();
  private final Deduplicate deduplicate = new Deduplicate(Duration.ofHours(1));
  private long watermark = Long.MIN_VALUE;
  private int received;
  private int accepted;
  private int rejected;
  private int duplicates;
  private int unchecked;

  /** Spilled fingerprints on the heap. */
  private static final class Spilled implements SeenEvents.Spill {
    private final Map<Integer, Set<Fingerprint>> buckets = new HashMap<>();

    @Override
    public boolean contains(int bucket, Fingerprint fingerprint) {
      return buckets.getOrDefault(bucket, Set.of()).contains(fingerprint);
    }

    @Override
    public void add(int bucket, Fingerprint fingerprint) {
      buckets.computeIfAbsent(bucket, b -> new HashSet<>()).add(fingerprint);
    }

    @Override
    public void removeThrough(int bucket) {
      buckets.keySet().removeIf(b -> b <= bucket);
    }
  }

  @Test
  void everyRecordIsAcceptedRejectedOrADuplicateAndNoneThrows() throws IOException {
    byte[] other = mutator.valid(T);
    for (int i = 0; i < RECORDS; i++) {
      long now = T + i * 20L;
      byte[] valid = mutator.valid(now);
      byte[] value = mutator.damage(valid, other);
      other = valid;
      judge(i, now, value);
      if (i % 10_000 == 0) {
        watermark = now - 120_000;
        expire();
      }
    }
    System.out.println(
        ("received " + received + " = accepted " + accepted + " (unchecked " + unchecked + ")")
            + (" + rejected " + rejected + " + duplicates " + duplicates + "; " + byReason));
    assertThat(received).isEqualTo(RECORDS).isEqualTo(accepted + rejected + duplicates);
    assertThat(accepted).isGreaterThan(RECORDS / 20);
    assertThat(rejected).isGreaterThan(RECORDS / 5);
    assertThat(duplicates).isGreaterThan(RECORDS / 1_000);
    assertThat(byReason).doesNotContainKey(RejectReason.INTERNAL_ERROR);
    assertThat(byReason.keySet()).hasSize(RejectReason.values().length - 1);
    watermark = Long.MAX_VALUE;
    expire();
    assertThat(users).isEmpty();
    assertThat(spills.values()).allSatisfy(s -> assertThat(s.buckets).isEmpty());
  }

  private void judge(int number, long now, @Nullable byte[] value) throws IOException {
    String topic = number % 7 == 0 ? "typed" : "events";
    boolean hasKafkaTime = number % 5 != 0;
    Origin origin = new Origin(topic, 0, number, hasKafkaTime ? now : Origin.NO_TIME, now + 5);
    Received record = validate.validate(origin, null, List.of(), value);
    received++;
    if (record.accepted()) {
      check(record.event(), topic);
      deduplicate(record.event());
    } else {
      rejected++;
      check(record.rejections());
    }
    if (number % COMPARED_EVERY == 0) {
      compareWithATree(record);
      compareWithTheWire(record);
    }
  }

  private void deduplicate(Event event) throws IOException {
    String user = event.userId();
    Deduplicate.Verdict verdict =
        deduplicate.judge(
            event,
            watermark,
            users.computeIfAbsent(user, u -> new SeenEvents()),
            spills.computeIfAbsent(user, u -> new Spilled()));
    boolean checked =
        watermark == Long.MIN_VALUE || event.timestamp() > watermark - deduplicate.ttl().toMillis();
    boolean isNew = !checked || exact.add(user + "\n" + event.eventId() + "\n" + event.timestamp());
    Deduplicate.Verdict expected =
        !checked
            ? Deduplicate.Verdict.UNCHECKED
            : isNew ? Deduplicate.Verdict.NEW : Deduplicate.Verdict.DUPLICATE;
    if (verdict != expected) {
      assertThat(verdict).as(event.toString()).isEqualTo(expected);
    }
    switch (verdict) {
      case NEW -> accepted++;
      case DUPLICATE -> duplicates++;
      case UNCHECKED -> {
        accepted++;
        unchecked++;
      }
    }
  }

  private void expire() throws IOException {
    for (Map.Entry<String, SeenEvents> user : users.entrySet()) {
      deduplicate.expire(watermark, user.getValue(), spills.get(user.getKey()));
    }
    users.values().removeIf(SeenEvents::isEmpty);
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
