package io.millrace.enrichment;

import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.annotation.Nullable;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.BooleanSerializer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * On each tick takes up the dimension if it has changed. The first load is waited for, and stops
 * the job when it fails, since no event may pass without it; later ones are read on a thread of
 * their own, because a slow store would hold back barriers, and with them every event. One that
 * fails is counted, and the version in use stays: after a restart too, since that version is in the
 * state of {@link Enrich}.
 *
 * <p>The stream has no event time. Until the first version it is active and so holds back the
 * watermark of the events that wait for it; from then on it is idle, and theirs alone counts.
 */
public final class LoadDimension extends AbstractStreamOperator<DimensionTable>
    implements OneInputStreamOperator<Long, DimensionTable> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(LoadDimension.class);

  private static final ListStateDescriptor<Boolean> LOADED =
      new ListStateDescriptor<>("dimension-loaded", BooleanSerializer.INSTANCE);

  private static final long CLOSE_SECONDS = 10;

  private final DimensionReader reader;

  private transient ListState<Boolean> savedLoaded;
  private transient boolean loaded;
  private transient boolean idle;
  private transient ExecutorService thread;
  @Nullable private transient CompletableFuture<Optional<DimensionTable>> read;
  private transient Counter failures;

  public LoadDimension(DimensionReader reader) {
    this.reader = reader;
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    savedLoaded = context.getOperatorStateStore().getListState(LOADED);
    loaded = false;
    for (Boolean saved : savedLoaded.get()) {
      loaded |= saved;
    }
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    savedLoaded.update(List.of(loaded));
  }

  @Override
  public void open() throws Exception {
    super.open();
    failures = getMetricGroup().addGroup(Metrics.GROUP).counter(Metrics.DIMENSION_LOAD_FAILURES);
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread t = new Thread(task, "read-dimension");
              t.setDaemon(true);
              return t;
            });
  }

  @Override
  public void processElement(StreamRecord<Long> tick) throws IOException {
    if (!loaded) {
      takeUp(readNow());
    } else if (read == null) {
      read = CompletableFuture.supplyAsync(this::readQuietly, thread);
    }
    if (read != null && read.isDone()) {
      CompletableFuture<Optional<DimensionTable>> done = read;
      read = null;
      try {
        takeUp(done.join());
      } catch (CompletionException e) {
        failures.inc();
        LOG.warn("The dimension in use stays, {} cannot be read", reader.describe(), e.getCause());
      }
    }
    if (loaded && !idle) {
      idle = true;
      output.emitWatermarkStatus(WatermarkStatus.IDLE);
    }
  }

  private Optional<DimensionTable> readNow() throws IOException {
    try {
      return reader.readIfChanged();
    } catch (IOException e) {
      throw new IOException("the dimension cannot be loaded from " + reader.describe(), e);
    }
  }

  private Optional<DimensionTable> readQuietly() {
    try {
      return reader.readIfChanged();
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private void takeUp(Optional<DimensionTable> table) {
    if (table.isEmpty()) {
      return;
    }
    loaded = true;
    LOG.info(
        "Dimension {} from {}: {} devices, {} countries",
        table.get().version(),
        reader.describe(),
        table.get().devices().size(),
        table.get().countries().size());
    output.collect(new StreamRecord<>(table.get()));
  }

  /** Ticks carry no event time; only the end of all input is passed on. */
  @Override
  public void processWatermark(Watermark mark) throws Exception {
    if (mark.getTimestamp() == Long.MAX_VALUE) {
      super.processWatermark(mark);
    }
  }

  /** Whether this stream counts for event time is decided here, not by its ticks. */
  @Override
  public void processWatermarkStatus(WatermarkStatus status) {}

  @Override
  public void close() throws Exception {
    try {
      if (thread != null) {
        thread.shutdownNow();
        // A reader belongs to one thread at a time: it is not closed while it reads.
        if (thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
          reader.close();
        } else {
          LOG.warn("{} is still being read and stays open", reader.describe());
        }
      }
    } finally {
      super.close();
    }
  }
}
