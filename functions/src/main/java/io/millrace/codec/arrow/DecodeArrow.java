package io.millrace.codec.arrow;

import io.millrace.telemetry.Metrics;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Records that are Arrow IPC streams, as rows; a record that cannot be read goes, whole and with
 * the reason, to {@link #DEAD_LETTERS}, and none of its rows come.
 *
 * <p>Rows are views of the record, see {@link ArrowDecoder}: each is an object of its own, and may
 * be kept.
 */
public final class DecodeArrow extends ProcessFunction<byte[], RowData>
    implements ResultTypeQueryable<RowData> {
  private static final long serialVersionUID = 1L;

  /** Where records go that cannot be read. */
  public static final OutputTag<ArrowDeadLetter> DEAD_LETTERS =
      new OutputTag<>("arrow-dead-letters", TypeInformation.of(ArrowDeadLetter.class));

  private final RowType rowType;
  private final ArrowDecoder decoder;
  private transient MetricGroup metrics;
  private transient Map<ArrowRejection.Reason, Counter> rejected;

  public DecodeArrow(RowType rowType, ArrowLimits limits) {
    this.rowType = Objects.requireNonNull(rowType, "rowType");
    this.decoder = new ArrowDecoder(rowType, limits);
  }

  @Override
  public void open(OpenContext context) {
    metrics = getRuntimeContext().getMetricGroup().addGroup(Metrics.GROUP);
    rejected = new EnumMap<>(ArrowRejection.Reason.class);
  }

  @Override
  public void processElement(byte[] record, Context context, Collector<RowData> out) {
    ArrowDecoder.Decoded decoded = decoder.decode(record);
    ArrowRejection rejection = decoded.rejection();
    if (rejection == null) {
      decoded.forEach(out::collect);
      return;
    }
    rejected
        .computeIfAbsent(
            rejection.reason(),
            reason -> metrics.addGroup(Metrics.REASON, reason.code()).counter(Metrics.REJECTED))
        .inc();
    context.output(
        DEAD_LETTERS, new ArrowDeadLetter(rejection.reason().code(), rejection.detail(), record));
  }

  @Override
  public TypeInformation<RowData> getProducedType() {
    return InternalTypeInfo.of(rowType);
  }
}
