package io.millrace.enrichment;

import io.millrace.event.Event;
import io.millrace.telemetry.Metrics;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.co.BroadcastProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Adds the dimension's columns. No event passes before the dimension is there: events are held, as
 * state, and their watermark with them, because the dimension's stream counts until its first
 * version (see {@link LoadDimension}).
 */
public final class Enrich extends BroadcastProcessFunction<Event, DimensionTable, Event>
    implements CheckpointedFunction {
  private static final long serialVersionUID = 1L;

  /** The current version, under one key. */
  public static final MapStateDescriptor<String, DimensionTable> DIMENSION =
      new MapStateDescriptor<>("dimension", Types.STRING, TypeInformation.of(DimensionTable.class));

  private static final ListStateDescriptor<Event> HELD =
      new ListStateDescriptor<>("held-events", TypeInformation.of(Event.class));
  private static final String CURRENT = "current";

  @Nullable private transient DimensionTable current;
  private transient Counter versions;
  private transient List<Event> held;
  private transient ListState<Event> savedHeld;

  @Override
  public void open(OpenContext context) {
    versions =
        getRuntimeContext()
            .getMetricGroup()
            .addGroup(Metrics.GROUP)
            .counter(Metrics.DIMENSION_VERSIONS);
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    savedHeld = context.getOperatorStateStore().getListState(HELD);
    held = new ArrayList<>();
    for (Event event : savedHeld.get()) {
      held.add(event);
    }
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    savedHeld.update(held);
  }

  @Override
  public void processElement(Event event, ReadOnlyContext context, Collector<Event> out)
      throws Exception {
    if (current == null) {
      current = context.getBroadcastState(DIMENSION).get(CURRENT);
    }
    if (current == null) {
      held.add(event);
      return;
    }
    out.collect(event.withDimensions(current.lookUp(event)));
  }

  @Override
  public void processBroadcastElement(DimensionTable table, Context context, Collector<Event> out)
      throws Exception {
    context.getBroadcastState(DIMENSION).put(CURRENT, table);
    current = table;
    versions.inc();
    for (Event event : held) {
      out.collect(event.withDimensions(current.lookUp(event)));
    }
    held.clear();
  }
}
