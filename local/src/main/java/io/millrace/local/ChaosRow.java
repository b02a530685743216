package io.millrace.local;

import io.millrace.local.ChaosTraffic.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The rows of the fault suite: what is sent, and what is broken meanwhile. */
enum ChaosRow {
  TASKMANAGER_KILL(
      "A TaskManager is killed 20 times (SIGKILL), at random moments",
      Kind.USUAL,
      1_050_000,
      220,
      100_000,
      ChaosFaults::killTaskManagers),
  COMMIT_KILL(
      "Both TaskManagers are killed between a checkpoint and its commit: before any file of it is"
          + " committed, and when some are",
      Kind.USUAL,
      1_050_000,
      150,
      60_000,
      ChaosFaults::killBeforeCommit),
  JOBMANAGER_KILL(
      "The JobManager is killed 3 times (SIGKILL)",
      Kind.USUAL,
      1_050_000,
      150,
      0,
      ChaosFaults::killJobManager),
  KAFKA_STOP(
      "The only Kafka broker is killed 5 times, and then is away for 60 s",
      Kind.USUAL,
      1_050_000,
      200,
      0,
      ChaosFaults::stopKafka),
  S3_503(
      "S3 answers 503 to 1 %, 10 % and 50 % of calls to create, upload-part and complete",
      Kind.USUAL, 1_050_000, 110, 0, faults -> faults.failSteps(S3Faults.Fault.ANSWER_503)),
  S3_500(
      "The same with 500",
      Kind.USUAL,
      1_050_000,
      110,
      0,
      faults -> faults.failSteps(S3Faults.Fault.ANSWER_500)),
  S3_429(
      "The same with 429",
      Kind.USUAL,
      1_050_000,
      110,
      0,
      faults -> faults.failSteps(S3Faults.Fault.ANSWER_429)),
  S3_RESET(
      "The same with a reset, half of them when S3 has done what it was asked",
      Kind.USUAL,
      1_050_000,
      110,
      0,
      faults -> faults.failSteps(S3Faults.Fault.RESET)),
  S3_STALL(
      "The same with silence for 5 s and a closed connection",
      Kind.USUAL,
      1_050_000,
      110,
      0,
      faults -> faults.failSteps(S3Faults.Fault.STALL)),
  S3_AWAY(
      "S3 is away for 2 minutes: every connection is reset",
      Kind.USUAL,
      1_050_000,
      200,
      0,
      ChaosFaults::takeS3Away),
  METASTORE_AWAY(
      "The Hive Metastore is killed and away for 2 minutes",
      Kind.USUAL,
      1_050_000,
      150,
      0,
      ChaosFaults::takeMetastoreAway),
  DISK_FULL(
      "The disk of a TaskManager is full for 30 s",
      Kind.USUAL,
      1_050_000,
      100,
      0,
      ChaosFaults::fillDisk),
  IDLE_PARTITION(
      "One partition of each topic gets nothing",
      Kind.IDLE_PARTITION,
      1_050_000,
      100,
      0,
      ChaosFaults::watchHoursComplete),
  SKEWED_CLOCK(
      "A producer's clock is an hour ahead, and one event in ten is dated up to ten years ahead",
      Kind.SKEWED_CLOCK,
      1_050_000,
      110,
      0,
      ChaosFaults::nothing),
  POISON(
      "For a minute every record is malformed",
      Kind.POISON,
      1_050_000,
      84,
      0,
      ChaosFaults::nothing),
  HUGE_RECORD("Ten records of 10 MB", Kind.HUGE, 1_050_000, 110, 0, ChaosFaults::nothing),
  HOT_USER(
      "One user has half of the traffic", Kind.HOT_USER, 1_050_000, 110, 0, ChaosFaults::nothing),
  THREE_TIMES(
      "Every record is sent three times",
      Kind.THREE_TIMES,
      1_050_000,
      220,
      0,
      ChaosFaults::nothing),
  REBALANCE(
      "Each topic gets four more partitions under way",
      Kind.USUAL,
      1_050_000,
      90,
      0,
      ChaosFaults::rebalance);

  private final String title;
  private final Kind kind;
  private final long events;
  private final int seconds;
  private final long shortEvents;

  // A method of a run, without state, which the checker cannot see.
  @SuppressWarnings("ImmutableEnumChecker")
  private final Script script;

  /** What is done to a run. */
  interface Script {
    /** Returns when it is done. */
    void run(ChaosFaults faults) throws Exception;
  }

  ChaosRow(String title, Kind kind, long events, int seconds, long shortEvents, Script script) {
    this.title = title;
    this.kind = kind;
    this.events = events;
    this.seconds = seconds;
    this.shortEvents = shortEvents;
    this.script = script;
  }

  /**
   * The row of that name.
   *
   * @throws IllegalArgumentException when there is none, with those that there are
   */
  static ChaosRow named(String name) {
    return Arrays.stream(values())
        .filter(row -> row.label().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "--row is '"
                        + name
                        + "', but must be one of: "
                        + Arrays.stream(values())
                            .map(ChaosRow::label)
                            .collect(Collectors.joining(", "))));
  }

  /** What a person types. */
  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  String title() {
    return title;
  }

  Kind kind() {
    return kind;
  }

  boolean isShort() {
    return shortEvents > 0;
  }

  /** Whether it leaves the servers alone, so that another one can run beside it. */
  boolean isTrafficOnly() {
    return compareTo(IDLE_PARTITION) >= 0;
  }

  /**
   * How many events the row sends.
   *
   * @param brief in the short suite; a row that is not of it sends as many as in the whole one
   */
  long events(boolean brief) {
    return brief && isShort() ? shortEvents : events;
  }

  /** How long sending takes, when nothing delays it. */
  int seconds(boolean brief) {
    return brief && isShort() ? 25 : seconds;
  }

  Script script() {
    return script;
  }

  /** Arguments of the job beside the usual ones. */
  List<String> arguments() {
    return this == REBALANCE
        ? List.of("--kafka.properties.partition.discovery.interval.ms", "5000")
        : List.of();
  }
}
