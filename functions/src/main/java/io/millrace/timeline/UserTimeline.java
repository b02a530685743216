package io.millrace.timeline;

import io.millrace.event.AppEvent;
import io.millrace.event.Event;
import io.millrace.event.LedgerEntry;
import io.millrace.identity.Deduplicate;
import io.millrace.identity.Fingerprint;
import io.millrace.identity.SeenEvents;
import io.millrace.ledger.LedgerCounter;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.base.ByteSerializer;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Triggerable;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.OutputTag;

/**
 * The one keyed operator. Per user it holds one value, hosts the logic that works on it, and
 * decides once whether an event is a duplicate and whether it is late.
 *
 * <pre>
 * Event --judge--> duplicate: counted
 *              \-> AppEvent (late or not)          main output
 *  counts before each barrier -> LedgerEntry       side output
 * </pre>
 *
 * <p>On RocksDB a bounded cache stands before the state, so that the key context of the operator is
 * set only where the backend is really asked: a miss, an eviction, a flush, a timer. On the heap
 * and in batch mode there is no cache: the first would bypass copy-on-write, the second drops all
 * state when the key changes.
 *
 * <p>The watermark is not part of a checkpoint, so the operator keeps its own in union state; until
 * the sources have caught up, lateness is decided by the restored one.
 */
public final class UserTimeline extends AbstractStreamOperator<AppEvent>
    implements OneInputStreamOperator<Event, AppEvent>, Triggerable<String, VoidNamespace> {
  private static final long serialVersionUID = 1L;

  /** What was counted, before each barrier. */
  public static final OutputTag<LedgerEntry> LEDGER =
      new OutputTag<>("timeline-ledger", TypeInformation.of(LedgerEntry.class));

  private static final ValueStateDescriptor<UserValue> USER =
      new ValueStateDescriptor<>("user", new UserValueSerializer());
  private static final MapStateDescriptor<SpilledFingerprint, Byte> SPILLED =
      new MapStateDescriptor<>(
          "spilled-fingerprints", new SpilledFingerprint.Serializer(), ByteSerializer.INSTANCE);
  private static final ListStateDescriptor<Long> WATERMARK =
      new ListStateDescriptor<>("watermark", LongSerializer.INSTANCE);
  private static final String TIMERS = "user-timers";
  private static final byte PRESENT = 1;

  private final TimelineOptions options;

  private transient ValueState<UserValue> user;
  private transient MapState<SpilledFingerprint, Byte> spilled;
  private transient ListState<Long> savedWatermark;
  private transient InternalTimerService<VoidNamespace> timers;
  private transient SpilledState spill;
  private transient LedgerCounter ledger;
  private transient UserCache cache;
  private transient StreamRecord<AppEvent> out;
  private transient boolean cached;
  private transient long watermark;
  private transient long finiteWatermark;

  private transient Counter accepted;
  private transient Counter duplicates;
  private transient Counter late;
  private transient Counter unchecked;
  private transient Counter hits;
  private transient Counter misses;

  public UserTimeline(TimelineOptions options) {
    this.options = options;
  }

  /** The key is set only where state is asked for. */
  @Override
  public boolean hasKeyContext1() {
    return false;
  }

  @Override
  @SuppressWarnings("rawtypes")
  public void setKeyContextElement1(StreamRecord element) {
    // See hasKeyContext1.
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    savedWatermark = context.getOperatorStateStore().getUnionListState(WATERMARK);
    watermark = Long.MIN_VALUE;
    for (Long saved : savedWatermark.get()) {
      watermark = Math.max(watermark, saved);
    }
    finiteWatermark = watermark;
    user = context.getKeyedStateStore().getState(USER);
    spilled = context.getKeyedStateStore().getMapState(SPILLED);
  }

  @Override
  public void open() throws Exception {
    super.open();
    timers = getInternalTimerService(TIMERS, VoidNamespaceSerializer.INSTANCE, this);
    cached = "rocksdb".equals(getKeyedStateBackend().getBackendTypeIdentifier());
    cache = new UserCache(options.cacheUsers(), options.cacheBytes(), this::store);
    spill = new SpilledState();
    ledger = new LedgerCounter(options.runId(), options.mode());
    out = new StreamRecord<>(null);

    MetricGroup metrics = getMetricGroup().addGroup(Metrics.GROUP);
    accepted = metrics.counter(Metrics.ACCEPTED);
    duplicates = metrics.counter(Metrics.DUPLICATES);
    late = metrics.counter(Metrics.LATE);
    unchecked = metrics.counter(Metrics.DEDUP_UNCHECKED);
    hits = metrics.counter(Metrics.CACHE_HITS);
    misses = metrics.counter(Metrics.CACHE_MISSES);
    metrics.gauge(Metrics.CACHE_USERS, cache::users);
    metrics.gauge(Metrics.CACHE_BYTES, cache::bytes);
  }

  @Override
  public void processElement(StreamRecord<Event> element) throws Exception {
    Event event = element.getValue();
    UserValue value = load(event.userId());
    spill.id = event.userId();
    Deduplicate.Verdict verdict = options.deduplicate().judge(event, watermark, value.seen, spill);
    if (value.timer == UserValue.NO_TIMER && !value.isEmpty()) {
      value.timer = options.deduplicate().nextExpiry(value.seen);
      setCurrentKey(event.userId());
      timers.registerEventTimeTimer(VoidNamespace.INSTANCE, value.timer);
    }
    keep(event.userId(), value, verdict == Deduplicate.Verdict.NEW);

    String topic = event.origin().topic();
    long ledgerTime = event.ledgerTime();
    if (verdict == Deduplicate.Verdict.DUPLICATE) {
      ledger.duplicate(topic, ledgerTime);
      duplicates.inc();
      return;
    }
    boolean isLate = isLate(event.timestamp());
    boolean checked = verdict != Deduplicate.Verdict.UNCHECKED;
    ledger.accepted(topic, ledgerTime, isLate);
    accepted.inc();
    if (isLate) {
      late.inc();
    }
    if (!checked) {
      unchecked.inc();
    }
    output.collect(out.replace(new AppEvent(event, isLate, checked), element.getTimestamp()));
  }

  private boolean isLate(long timestamp) {
    return watermark != Long.MIN_VALUE
        && timestamp <= watermark - options.allowedLateness().toMillis();
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    watermark = Math.max(watermark, mark.getTimestamp());
    if (watermark != Long.MAX_VALUE) {
      // A job that was drained can be started again: the end of input is not a time.
      finiteWatermark = watermark;
    }
    super.processWatermark(mark);
  }

  /** The user's only timer: forget what has expired, then wait for the next expiry. */
  @Override
  public void onEventTime(InternalTimer<String, VoidNamespace> timer) throws Exception {
    String id = timer.getKey();
    UserValue inCache = cached ? cache.get(id) : null;
    UserValue value = inCache == null ? read(id) : inCache;
    spill.id = id;
    long now = Math.max(watermark, timers.currentWatermark());
    options.deduplicate().expire(now, value.seen, spill);
    value.timer = UserValue.NO_TIMER;
    if (!value.isEmpty() && now != Long.MAX_VALUE) {
      value.timer = options.deduplicate().nextExpiry(value.seen);
      setCurrentKey(id);
      timers.registerEventTimeTimer(VoidNamespace.INSTANCE, value.timer);
    }
    // A user outside the cache stays outside: its timer must not push out one who is active.
    if (inCache != null && !value.isEmpty()) {
      cache.put(id, value, true);
    } else {
      cache.remove(id);
      store(id, value);
    }
  }

  @Override
  public void onProcessingTime(InternalTimer<String, VoidNamespace> timer) {
    throw new IllegalStateException("no processing-time timer is ever registered");
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
    cache.flush();
    emitCounts(checkpointId);
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    savedWatermark.update(List.of(finiteWatermark));
  }

  @Override
  public void finish() throws Exception {
    cache.flush();
    emitCounts(LedgerEntry.END_OF_INPUT);
    super.finish();
  }

  private void emitCounts(long checkpoint) {
    ledger.drain(checkpoint, e -> output.collect(LEDGER, new StreamRecord<>(e)));
  }

  private UserValue load(String id) throws Exception {
    if (cached) {
      UserValue value = cache.get(id);
      if (value != null) {
        hits.inc();
        return value;
      }
      misses.inc();
    }
    return read(id);
  }

  private UserValue read(String id) throws Exception {
    setCurrentKey(id);
    UserValue value = user.value();
    return value == null ? new UserValue() : value;
  }

  private void keep(String id, UserValue value, boolean changed) throws Exception {
    if (cached && !value.isEmpty()) {
      cache.put(id, value, changed);
    } else if (changed) {
      store(id, value);
    }
  }

  private void store(String id, UserValue value) throws Exception {
    setCurrentKey(id);
    if (value.isEmpty()) {
      user.clear();
    } else {
      user.update(value);
    }
  }

  /** The map state of one user; sets the key itself, since lookups by cache do not. */
  private final class SpilledState implements SeenEvents.Spill {
    String id;

    @Override
    public boolean contains(int bucket, Fingerprint f) throws IOException {
      return call(() -> spilled.contains(new SpilledFingerprint(bucket, f.high(), f.low())));
    }

    @Override
    public void add(int bucket, Fingerprint f) throws IOException {
      call(
          () -> {
            spilled.put(new SpilledFingerprint(bucket, f.high(), f.low()), PRESENT);
            return true;
          });
    }

    @Override
    public void removeThrough(int bucket) throws IOException {
      call(
          () -> {
            Iterator<SpilledFingerprint> keys = spilled.keys().iterator();
            while (keys.hasNext()) {
              if (keys.next().bucket() <= bucket) {
                keys.remove();
              } else if (cached) {
                // RocksDB iterates from the oldest bucket on.
                break;
              }
            }
            if (spilled.isEmpty()) {
              // The heap backend would keep an empty map.
              spilled.clear();
            }
            return true;
          });
    }

    private boolean call(StateCall call) throws IOException {
      setCurrentKey(id);
      try {
        return call.run();
      } catch (IOException e) {
        throw e;
      } catch (Exception e) {
        throw new IOException("the spilled fingerprints of a user cannot be read or written", e);
      }
    }
  }

  private interface StateCall {
    boolean run() throws Exception;
  }
}
