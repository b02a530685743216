package io.millrace.event;

import java.util.Objects;

/**
 * Where a record came from and when it was seen.
 *
 * @param topic the Kafka topic; in bounded mode the topic that the file belongs to
 * @param partition the Kafka partition; in bounded mode 0
 * @param offset the Kafka offset; in bounded mode the byte offset of the line in its file (of a
 *     {@code .gz}, in what it holds), so that two files of a topic can have the same offset
 * @param kafkaTimestamp epoch ms; {@link #NO_TIME} in bounded mode
 * @param ingestedAt wall clock when the job read it, epoch ms
 */
public record Origin(
    String topic, int partition, long offset, long kafkaTimestamp, long ingestedAt) {

  /** Stands for a time that is not known. */
  public static final long NO_TIME = Long.MIN_VALUE;

  /** 9999-12-31T23:59:59.999Z, the last time that every reader of the tables understands. */
  public static final long LAST_TIME = 253_402_300_799_999L;

  public Origin {
    Objects.requireNonNull(topic, "topic");
  }
}
