package io.millrace.enrichment;

import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.util.Optional;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFlatMapFunction;
import org.apache.flink.metrics.Counter;
import org.apache.flink.util.Collector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * On each tick reads the dimension and emits it when it has changed. A first load that fails stops
 * the job, since no event may pass without it; a later one is logged and the version in use stays.
 */
public final class LoadDimension extends RichFlatMapFunction<Long, DimensionTable> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(LoadDimension.class);

  private final DimensionReader reader;
  private transient boolean loaded;
  private transient Counter failures;

  public LoadDimension(DimensionReader reader) {
    this.reader = reader;
  }

  @Override
  public void open(OpenContext context) {
    failures =
        getRuntimeContext()
            .getMetricGroup()
            .addGroup(Metrics.GROUP)
            .counter(Metrics.DIMENSION_LOAD_FAILURES);
  }

  @Override
  public void flatMap(Long tick, Collector<DimensionTable> out) throws IOException {
    Optional<DimensionTable> table;
    try {
      table = reader.readIfChanged();
    } catch (IOException e) {
      if (!loaded) {
        throw new IOException("the dimension cannot be loaded from " + reader.describe(), e);
      }
      failures.inc();
      LOG.warn("The dimension in use stays, {} cannot be read", reader.describe(), e);
      return;
    }
    if (table.isPresent()) {
      loaded = true;
      LOG.info(
          "Dimension {} from {}: {} devices, {} countries",
          table.get().version(),
          reader.describe(),
          table.get().devices().size(),
          table.get().countries().size());
      out.collect(table.get());
    }
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
