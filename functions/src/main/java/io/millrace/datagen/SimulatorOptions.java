package io.millrace.datagen;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * What an {@link EngagementSimulator} sends.
 *
 * @param events how many records, of every kind together
 * @param seed the same seed and options give the same bytes
 * @param users how many users share the events; with very many events per user their sessions crowd
 *     closer than a session gap
 * @param start no event happens before it
 * @param span about how much event time the records cover
 * @param malformed share of records that break a rule other than being ahead of time
 * @param duplicates share of records that repeat an earlier accepted one
 * @param late share of records that arrive 20 min to 3 h after their event
 * @param future share of records that claim to be 11 min to 10 years ahead of their arrival
 * @param hugeValues whether a few of the malformed records are values of 2 MB
 */
public record SimulatorOptions(
    long events,
    long seed,
    int users,
    Instant start,
    Duration span,
    double malformed,
    double duplicates,
    double late,
    double future,
    boolean hugeValues) {

  public SimulatorOptions {
    Objects.requireNonNull(start, "start");
    Objects.requireNonNull(span, "span");
    require(events >= 0, "events must not be negative, was " + events);
    require(users > 0, "users must be positive, was " + users);
    require(span.toMillis() > 0, "span must be positive, was " + span);
    require(
        malformed >= 0 && duplicates >= 0 && late >= 0 && future >= 0,
        "shares must not be negative");
    require(
        malformed + 2 * duplicates + late + future <= 1,
        "malformed + 2 x duplicates + late + future must be at most 1: every duplicate needs its"
            + " original");
  }

  /** Clean input: 20,000 users over the 24 hours of 2026-01-05, UTC. */
  public static SimulatorOptions of(long events, long seed) {
    return new SimulatorOptions(
        events,
        seed,
        20_000,
        Instant.parse("2026-01-05T00:00:00Z"),
        Duration.ofHours(24),
        0,
        0,
        0,
        0,
        false);
  }

  public SimulatorOptions withUsers(int count) {
    return new SimulatorOptions(
        events, seed, count, start, span, malformed, duplicates, late, future, hugeValues);
  }

  public SimulatorOptions withTime(Instant from, Duration length) {
    return new SimulatorOptions(
        events, seed, users, from, length, malformed, duplicates, late, future, hugeValues);
  }

  public SimulatorOptions withMalformed(double share) {
    return new SimulatorOptions(
        events, seed, users, start, span, share, duplicates, late, future, hugeValues);
  }

  public SimulatorOptions withDuplicates(double share) {
    return new SimulatorOptions(
        events, seed, users, start, span, malformed, share, late, future, hugeValues);
  }

  public SimulatorOptions withLate(double share) {
    return new SimulatorOptions(
        events, seed, users, start, span, malformed, duplicates, share, future, hugeValues);
  }

  public SimulatorOptions withFuture(double share) {
    return new SimulatorOptions(
        events, seed, users, start, span, malformed, duplicates, late, share, hugeValues);
  }

  /** A few of the malformed records are values of 2 MB, which a broker must be set up to take. */
  public SimulatorOptions withHugeValues() {
    return new SimulatorOptions(
        events, seed, users, start, span, malformed, duplicates, late, future, true);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
