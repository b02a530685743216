package io.millrace.codec.arrow;

import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records that are Arrow IPC streams, as rows of a table. Of a record that cannot be read no row
 * comes; whether it fails the job or is counted and logged, {@link OnError} tells.
 *
 * <p>Rows are views of the record, see {@link ArrowDecoder}: each is an object of its own, and may
 * be kept.
 */
public final class ArrowRowDeserializer implements DeserializationSchema<RowData> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(ArrowRowDeserializer.class);
  private static final long LOG_EVERY_NANOS = Duration.ofMinutes(1).toNanos();

  private final ArrowDecoder decoder;
  private final OnError onError;
  private final TypeInformation<RowData> produced;
  private transient MetricGroup metrics;
  private transient Map<ArrowRejection.Reason, Counter> rejected;
  private transient long skipped;
  private transient long logged;

  /** What a record that cannot be read does. */
  public enum OnError {
    /** It fails the job. */
    FAIL,
    /** It is left out, whole: counted as {@code rejected} by reason, and logged once a minute. */
    SKIP
  }

  public ArrowRowDeserializer(
      RowType rowType, ArrowLimits limits, OnError onError, TypeInformation<RowData> produced) {
    this.decoder = new ArrowDecoder(rowType, limits);
    this.onError = Objects.requireNonNull(onError, "onError");
    this.produced = Objects.requireNonNull(produced, "produced");
  }

  @Override
  public void open(InitializationContext context) {
    metrics = context.getMetricGroup().addGroup(Metrics.GROUP);
  }

  @Override
  public void deserialize(@Nullable byte[] message, Collector<RowData> out) throws IOException {
    ArrowDecoder.Decoded decoded = decoder.decode(message);
    ArrowRejection rejection = decoded.rejection();
    if (rejection == null) {
      decoded.forEach(out::collect);
    } else if (onError == OnError.FAIL) {
      throw new BadArrowException(rejection);
    } else {
      skip(rejection);
    }
  }

  private void skip(ArrowRejection rejection) {
    if (metrics != null) {
      if (rejected == null) {
        rejected = new HashMap<>();
      }
      rejected
          .computeIfAbsent(
              rejection.reason(),
              reason -> metrics.addGroup(Metrics.REASON, reason.code()).counter(Metrics.REJECTED))
          .inc();
    }
    skipped++;
    long now = System.nanoTime();
    if (skipped == 1 || now - logged >= LOG_EVERY_NANOS) {
      logged = now;
      LOG.warn("A record was left out, {} since the start; the last one is {}", skipped, rejection);
    }
  }

  /**
   * Not offered: a record has any number of rows.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public RowData deserialize(@Nullable byte[] message) {
    throw new UnsupportedOperationException("a record of Arrow data has any number of rows");
  }

  @Override
  public boolean isEndOfStream(RowData next) {
    return false;
  }

  @Override
  public TypeInformation<RowData> getProducedType() {
    return produced;
  }
}
