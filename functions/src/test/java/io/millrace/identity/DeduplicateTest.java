package io.millrace.identity;

import static io.millrace.identity.Deduplicate.Verdict.DUPLICATE;
import static io.millrace.identity.Deduplicate.Verdict.NEW;
import static io.millrace.identity.Deduplicate.Verdict.UNCHECKED;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.identity.Deduplicate.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

/** What is a resend, and until when it is recognised. */
class DeduplicateTest {
  private static final long T = 1_767_608_130_123L;
  private static final long TTL = 86_400_000L;

  private final Deduplicate deduplicate = new Deduplicate(Duration.ofHours(24));
  private final SeenEvents seen = new SeenEvents();
  private final MemorySpill spill = new MemorySpill();

  private static Event event(String id, long timestamp, String type) {
    return new Event(
        id,
        "u",
        null,
        type,
        timestamp,
        Origin.NO_TIME,
        Device.UNKNOWN,
        Geo.UNKNOWN,
        Map.of(),
        Dimensions.NONE,
        new Origin("events", 0, timestamp, T, T));
  }

  private Verdict judge(String id, long timestamp, long watermark) throws IOException {
    return deduplicate.judge(event(id, timestamp, "t"), watermark, seen, spill);
  }

  @Test
  void theSameIdAtTheSameTimestampIsADuplicate() throws IOException {
    assertThat(judge("a", T, Long.MIN_VALUE)).isEqualTo(NEW);
    assertThat(judge("a", T, Long.MIN_VALUE)).isEqualTo(DUPLICATE);
    assertThat(judge("b", T, T)).isEqualTo(NEW);
    assertThat(judge("a", T, T + 1)).isEqualTo(DUPLICATE);
    assertThat(deduplicate.judge(event("a", T, "other_type"), T, seen, spill)).isEqualTo(DUPLICATE);
  }

  @Test
  void theSameIdAtAnotherTimestampIsAnotherEvent() throws IOException {
    assertThat(judge("a", T, T)).isEqualTo(NEW);
    assertThat(judge("a", T + 1, T)).isEqualTo(NEW);
    assertThat(judge("a", T - 1, T)).isEqualTo(NEW);
    assertThat(judge("a", T + 1, T)).isEqualTo(DUPLICATE);
  }

  @Test
  void anEventIsComparedUntilTheWatermarkIsTheTtlAhead() throws IOException {
    assertThat(judge("a", T, T)).isEqualTo(NEW);
    long last = T + TTL - 1;
    deduplicate.expire(last, seen, spill);
    assertThat(judge("a", T, last)).isEqualTo(DUPLICATE);
    deduplicate.expire(last + 1, seen, spill);
    assertThat(judge("a", T, last + 1)).isEqualTo(UNCHECKED);
    assertThat(judge("never seen", T, last + 1)).isEqualTo(UNCHECKED);
    assertThat(judge("never seen", T + 1, last + 1)).isEqualTo(NEW);
  }

  @Test
  void anUncheckedEventIsNotRemembered() throws IOException {
    assertThat(judge("a", T, T + TTL)).isEqualTo(UNCHECKED);
    assertThat(seen.isEmpty()).isTrue();
    assertThat(deduplicate.nextExpiry(seen)).isEqualTo(Long.MAX_VALUE);
    assertThat(judge("a", T, Long.MAX_VALUE)).isEqualTo(UNCHECKED);
  }

  @Test
  void everythingIsForgottenAtTheExpiryThatItNames() throws IOException {
    judge("a", T, T);
    long expiry = deduplicate.nextExpiry(seen);
    assertThat(expiry).isEqualTo(T / 900_000 * 900_000 + 900_000 + TTL);
    deduplicate.expire(expiry - 1, seen, spill);
    assertThat(seen.isEmpty()).isFalse();
    deduplicate.expire(expiry, seen, spill);
    assertThat(seen.isEmpty()).isTrue();
  }

  @Test
  void aUserOfManyEventsStaysBoundedAndExact() throws IOException {
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 20_000; i++) {
        assertThat(judge("event-" + i, T + i, T)).isEqualTo(round == 0 ? NEW : DUPLICATE);
      }
    }
    assertThat(seen.weight()).isLessThan(1 << 17);
    assertThat(spill.size()).isGreaterThan(15_000);
    deduplicate.expire(Long.MAX_VALUE, seen, spill);
    assertThat(spill.size()).isZero();
  }

  @Test
  void travelsWithTheJobGraph() throws Exception {
    assertThat(InstantiationUtil.clone(deduplicate)).isEqualTo(deduplicate);
  }
}
