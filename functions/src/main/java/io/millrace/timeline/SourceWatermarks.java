package io.millrace.timeline;

import io.millrace.event.Origin;
import io.millrace.event.Received;
import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.BoundedOutOfOrdernessWatermarks;
import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.WatermarkAlignmentParams;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.eventtime.WatermarksWithIdleness;

/**
 * Watermarks per Kafka partition, from min(event timestamp, Kafka timestamp): a producer whose
 * clock is ahead must not make everyone else late.
 *
 * <p>Rejected records do not count at all. A partition that carries nothing else turns idle after
 * {@code idleness}, so that it holds nobody back.
 *
 * <p>A backlog is read in step: who is ahead of the slowest partition of all topics by more than
 * {@code maxDrift} waits. A small topic would otherwise be read to its end while a large one is at
 * its beginning, and all of its events would have to be held until the watermark has passed them.
 *
 * @param outOfOrderness how far events of one partition may be out of order
 * @param idleness after how long without a valid event a partition is left out
 * @param maxDrift how far ahead of the slowest partition another one is read, in event time
 */
public record SourceWatermarks(Duration outOfOrderness, Duration idleness, Duration maxDrift)
    implements WatermarkStrategy<Received>, Serializable {
  private static final String ALIGNMENT_GROUP = "events";

  /** A watermark is emitted as often, by Flink's default. */
  private static final long ALIGNMENT_INTERVAL_MS = 200;

  @Override
  public WatermarkAlignmentParams getAlignmentParameters() {
    return new WatermarkAlignmentParams(
        maxDrift.toMillis(), ALIGNMENT_GROUP, ALIGNMENT_INTERVAL_MS);
  }

  @Override
  public TimestampAssigner<Received> createTimestampAssigner(
      TimestampAssignerSupplier.Context context) {
    return (record, kafkaTimestamp) -> timestamp(record);
  }

  /**
   * For batch mode, which knows no watermark but the end: records have the event's own time,
   * whatever Kafka said, because each user's are sorted by it.
   */
  public static WatermarkStrategy<Received> atTheEndOnly() {
    return WatermarkStrategy.<Received>noWatermarks()
        .withTimestampAssigner(
            (record, kafkaTimestamp) ->
                record.accepted() ? record.event().timestamp() : record.ledgerTime());
  }

  private static long timestamp(Received record) {
    if (!record.accepted()) {
      return record.ledgerTime();
    }
    long kafka = record.origin().kafkaTimestamp();
    long event = record.event().timestamp();
    return kafka == Origin.NO_TIME ? event : Math.min(event, kafka);
  }

  @Override
  public WatermarkGenerator<Received> createWatermarkGenerator(
      WatermarkGeneratorSupplier.Context context) {
    WatermarksWithIdleness<Received> valid =
        new WatermarksWithIdleness<>(
            new BoundedOutOfOrdernessWatermarks<>(outOfOrderness),
            idleness,
            context.getInputActivityClock());
    return new WatermarkGenerator<>() {
      @Override
      public void onEvent(Received record, long timestamp, WatermarkOutput output) {
        if (record.accepted()) {
          valid.onEvent(record, timestamp, output);
        }
      }

      @Override
      public void onPeriodicEmit(WatermarkOutput output) {
        valid.onPeriodicEmit(output);
      }
    };
  }
}
