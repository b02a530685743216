package io.millrace.datagen;

import io.millrace.datagen.SimulatedRecord.Fate;
import io.millrace.datagen.SimulatedRecord.Verdict;
import io.millrace.event.RejectReason;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The exact counts that a job must arrive at for simulated records. Hours are the epoch ms of their
 * start, UTC.
 *
 * @param byTopicAndHour by the hour of the Kafka timestamp; for files by that of {@code
 *     received_at}, and hour 0 for records without a readable time
 * @param rowsByEventHour rows of each hourly partition of {@code processed/app_events}
 * @param uniqueEvents distinct (user, event id, timestamp) among the valid records, counted by a
 *     set of their hashes and not by their verdicts
 * @param sentLate accepted records that arrived 20 min or more after their event; no exact count of
 *     late events, which depends on watermarks
 */
public record Truth(
    Counts total,
    NavigableMap<String, Counts> byTopic,
    NavigableMap<TopicHour, Counts> byTopicAndHour,
    NavigableMap<Long, Long> rowsByEventHour,
    long uniqueEvents,
    long sentLate) {

  static final long HOUR_MS = 3_600_000L;

  public Truth {
    if (total.accepted() != uniqueEvents
        || total.accepted() != rowsByEventHour.values().stream().mapToLong(n -> n).sum()) {
      throw new IllegalStateException("accepted, unique events and rows differ: " + total);
    }
    byTopic = Collections.unmodifiableNavigableMap(byTopic);
    byTopicAndHour = Collections.unmodifiableNavigableMap(byTopicAndHour);
    rowsByEventHour = Collections.unmodifiableNavigableMap(rowsByEventHour);
  }

  /** A row of the ledger. */
  public record TopicHour(String topic, long hour) implements Comparable<TopicHour> {
    @Override
    public int compareTo(TopicHour other) {
      int byTopic = topic.compareTo(other.topic);
      return byTopic != 0 ? byTopic : Long.compare(hour, other.hour);
    }
  }

  /**
   * Counts of records, of which {@code received = accepted + rejected + duplicates}.
   *
   * @param rejectedByReason how many records were rejected for a reason; a record with several
   *     reasons stands under each of them, and once in {@code rejected}
   */
  public record Counts(
      long received,
      long accepted,
      long rejected,
      long duplicates,
      Map<RejectReason, Long> rejectedByReason) {
    public Counts {
      if (received != accepted + rejected + duplicates) {
        throw new IllegalStateException(
            received + " received, but " + accepted + " + " + rejected + " + " + duplicates);
      }
      rejectedByReason = Collections.unmodifiableMap(new TreeMap<>(rejectedByReason));
    }
  }

  /** Counts records as they are sent, of however many simulators. */
  public static final class Tally {
    private static final class Sums {
      private long received;
      private long accepted;
      private long rejected;
      private long duplicates;
      private final Map<RejectReason, Long> reasons = new EnumMap<>(RejectReason.class);

      void add(Fate fate) {
        received++;
        switch (fate.verdict()) {
          case ACCEPTED -> accepted++;
          case DUPLICATE -> duplicates++;
          case REJECTED -> {
            rejected++;
            fate.reasons().forEach(reason -> reasons.merge(reason, 1L, Long::sum));
          }
        }
      }

      Counts counts() {
        return new Counts(received, accepted, rejected, duplicates, reasons);
      }
    }

    private static final class Count {
      private long value;
    }

    /** A set of hashes: open addressing, at most three quarters full. */
    private static final class Identities {
      private static final int FIRST_CAPACITY = 1 << 12;

      private long[] table = new long[FIRST_CAPACITY];
      private boolean zero;
      private int size;

      void add(long hash) {
        if (hash == 0) {
          size += zero ? 0 : 1;
          zero = true;
        } else if (put(hash)) {
          size++;
          if (size > table.length / 4 * 3) {
            grow();
          }
        }
      }

      private boolean put(long hash) {
        int mask = table.length - 1;
        int slot = (int) hash & mask;
        while (table[slot] != 0) {
          if (table[slot] == hash) {
            return false;
          }
          slot = (slot + 1) & mask;
        }
        table[slot] = hash;
        return true;
      }

      private void grow() {
        long[] full = table;
        table = new long[2 * full.length];
        for (long hash : full) {
          if (hash != 0) {
            put(hash);
          }
        }
      }
    }

    private final Identities identities = new Identities();
    private final Sums total = new Sums();
    private final Map<String, Sums> byTopic = new TreeMap<>();
    private final Map<TopicHour, Sums> byTopicAndHour = new TreeMap<>();
    private final Map<Long, Count> rows = new TreeMap<>();
    private long sentLate;

    /** Counts a record under the hour of {@code ledgerTime}. */
    public void add(SimulatedRecord sent, long ledgerTime) {
      Fate fate = sent.fate();
      total.add(fate);
      byTopic.computeIfAbsent(sent.topic(), topic -> new Sums()).add(fate);
      TopicHour key = new TopicHour(sent.topic(), hourOf(ledgerTime));
      byTopicAndHour.computeIfAbsent(key, hour -> new Sums()).add(fate);
      if (fate.verdict() != Verdict.REJECTED) {
        identities.add(fate.identity());
      }
      if (fate.verdict() == Verdict.ACCEPTED) {
        rows.computeIfAbsent(hourOf(fate.eventTime()), hour -> new Count()).value++;
        sentLate += fate.sentLate() ? 1 : 0;
      }
    }

    /** The truth about what was added so far. */
    public Truth truth() {
      NavigableMap<String, Counts> topics = new TreeMap<>();
      byTopic.forEach((topic, sums) -> topics.put(topic, sums.counts()));
      NavigableMap<TopicHour, Counts> hours = new TreeMap<>();
      byTopicAndHour.forEach((hour, sums) -> hours.put(hour, sums.counts()));
      NavigableMap<Long, Long> rowsByHour = new TreeMap<>();
      rows.forEach((hour, count) -> rowsByHour.put(hour, count.value));
      return new Truth(total.counts(), topics, hours, rowsByHour, identities.size, sentLate);
    }

    private static long hourOf(long time) {
      return Math.floorDiv(time, HOUR_MS) * HOUR_MS;
    }
  }
}
