package io.millrace.timeline;

import io.millrace.event.Origin;
import io.millrace.event.Received;
import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.BoundedOutOfOrdernessWatermarks;
import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
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
 * @param outOfOrderness how far events of one partition may be out of order
 * @param idleness after how long without a valid event a partition is left out
 */
public record SourceWatermarks(Duration outOfOrderness, Duration idleness)
    implements WatermarkStrategy<Received>, Serializable {

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
