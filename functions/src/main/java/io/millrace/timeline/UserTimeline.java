package io.millrace.timeline;

import io.millrace.event.AppEvent;
import io.millrace.event.Event;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Rollup;
import io.millrace.event.Session;
import io.millrace.event.SessionBalance;
import io.millrace.identity.Deduplicate;
import io.millrace.ledger.LedgerCounter;
import io.millrace.rollup.PreAggregate;
import io.millrace.session.Sessionize;
import io.millrace.telemetry.EventTimeSamples;
import io.millrace.telemetry.LatencyHistogram;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.base.ByteSerializer;
import org.apache.flink.api.common.typeutils.base.IntSerializer;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.api.common.typeutils.base.array.LongPrimitiveArraySerializer;
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
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.OutputTag;

/**
 * The one keyed operator. Per user it holds one value, hosts the logic that works on it, and
 * decides once whether an event is a duplicate and whether it is late.
 *
 * <pre>
 * Event --judge--> duplicate: counted
 *              \-> AppEvent (late or not)                          main output
 *                  not late: sessionize --> Session                 side output
 *                            distinct users, pre-aggregate -> parts of cells
 *  counts before each barrier -> LedgerEntry, SessionBalance
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

  /** Sessions, once closed. */
  public static final OutputTag<Session> SESSIONS =
      new OutputTag<>("timeline-sessions", TypeInformation.of(Session.class));

  /** What was counted in cells of the rollups since it was last told. */
  public static final OutputTag<Rollup> CELLS =
      new OutputTag<>("timeline-cells", TypeInformation.of(Rollup.class));

  /** Events beside sessions, before each barrier. */
  public static final OutputTag<SessionBalance> BALANCE =
      new OutputTag<>("timeline-balance", TypeInformation.of(SessionBalance.class));

  private static final ValueStateDescriptor<UserValue> USER =
      new ValueStateDescriptor<>("user", new UserValueSerializer());
  private static final MapStateDescriptor<SpilledFingerprint, Byte> SPILLED =
      new MapStateDescriptor<>(
          "spilled-fingerprints", new SpilledFingerprint.Serializer(), ByteSerializer.INSTANCE);
  private static final MapStateDescriptor<Integer, long[]> ARCHIVED =
      new MapStateDescriptor<>(
          "archived-fingerprints", IntSerializer.INSTANCE, LongPrimitiveArraySerializer.INSTANCE);
  private static final MapStateDescriptor<HeldChunk, byte[]> HELD =
      new MapStateDescriptor<>(
          "held-events", new HeldChunk.Serializer(), BytePrimitiveArraySerializer.INSTANCE);
  private static final ListStateDescriptor<Long> WATERMARK =
      new ListStateDescriptor<>("watermark", LongSerializer.INSTANCE);
  private static final ListStateDescriptor<Long> OPEN_EVENTS =
      new ListStateDescriptor<>("open-session-events", LongSerializer.INSTANCE);
  private static final ListStateDescriptor<Long> OPEN_SESSIONS =
      new ListStateDescriptor<>("open-sessions", LongSerializer.INSTANCE);
  private static final String TIMERS = "user-timers";
  private static final List<String> NO_CELL = List.of();

  private final TimelineOptions options;

  private transient ValueState<UserValue> user;
  private transient MapState<SpilledFingerprint, Byte> spilled;
  private transient MapState<Integer, long[]> archived;
  private transient MapState<HeldChunk, byte[]> held;
  private transient ListState<Long> savedWatermark;
  private transient ListState<Long> savedOpenEvents;
  private transient ListState<Long> savedOpenSessions;
  private transient InternalTimerService<VoidNamespace> timers;
  private transient SpilledFingerprints spill;
  private transient HeldChunks overflow;
  private transient Sessionize.Closed closing;
  @Nullable private transient ScheduledFuture<?> flushing;
  @Nullable private transient PreAggregate cells;
  private transient LedgerCounter ledger;
  private transient UserCache cache;
  private transient StreamRecord<AppEvent> out;
  private transient LookAhead<Event> waiting;
  private transient LookAhead<InternalTimer<String, VoidNamespace>> due;
  private transient boolean cached;
  private transient long watermark;
  private transient long finiteWatermark;
  private transient long lateness;
  private transient long closeDelay;
  private transient long onTimeEvents;
  private transient long closedEvents;
  private transient long openEvents;
  private transient long openSessions;
  private transient EventTimeSamples samples;

  private transient Counter accepted;
  private transient Counter duplicates;
  private transient Counter late;
  private transient Counter unchecked;
  private transient Counter hits;
  private transient Counter misses;
  private transient Counter sessions;
  private transient LatencyHistogram commitAges;

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
    savedOpenEvents = context.getOperatorStateStore().getListState(OPEN_EVENTS);
    for (Long saved : savedOpenEvents.get()) {
      openEvents += saved;
    }
    boolean told =
        !context.isRestored()
            || getOperatorStateBackend()
                .getRegisteredStateNames()
                .contains(OPEN_SESSIONS.getName());
    savedOpenSessions = context.getOperatorStateStore().getListState(OPEN_SESSIONS);
    for (Long saved : savedOpenSessions.get()) {
      openSessions += saved;
    }
    user = context.getKeyedStateStore().getState(USER);
    held = context.getKeyedStateStore().getMapState(HELD);
    spilled = context.getKeyedStateStore().getMapState(SPILLED);
    archived = context.getKeyedStateStore().getMapState(ARCHIVED);
    if (!told) {
      openSessions = countOpenSessions();
    }
  }

  /** Reads every user, once: in a state from before they were counted nothing else tells. */
  private long countOpenSessions() throws Exception {
    long count = 0;
    try (Stream<String> users =
        this.<String>getKeyedStateBackend().getKeys(USER.getName(), VoidNamespace.INSTANCE)) {
      for (Iterator<String> ids = users.iterator(); ids.hasNext(); ) {
        count += open(read(ids.next()));
      }
    }
    return count;
  }

  @Override
  public void open() throws Exception {
    super.open();
    timers = getInternalTimerService(TIMERS, VoidNamespaceSerializer.INSTANCE, this);
    cached = "rocksdb".equals(getKeyedStateBackend().getBackendTypeIdentifier());
    cache = new UserCache(options.cacheUsers(), options.cacheBytes(), this::store);
    spill = new SpilledFingerprints(this::setCurrentKey, spilled, archived, cached);
    overflow = new HeldChunks(this::setCurrentKey, held, cached);
    closing = this::close;
    cells = options.rollups() == null ? null : new PreAggregate(options.rollups());
    lateness = options.allowedLateness().toMillis();
    closeDelay =
        options.sessionize() == null ? 0 : lateness + options.sessionize().rules().gap().toMillis();
    ledger = new LedgerCounter(options.runId(), options.mode());
    out = new StreamRecord<>(null);
    int most = cached ? UserCache.LOOK_AHEAD : 1;
    waiting = new LookAhead<>(cache, most, this::process);
    due = new LookAhead<>(cache, most, this::fire);
    samples = new EventTimeSamples();

    MetricGroup metrics = getMetricGroup().addGroup(Metrics.GROUP);
    accepted = metrics.counter(Metrics.ACCEPTED);
    duplicates = metrics.counter(Metrics.DUPLICATES);
    late = metrics.counter(Metrics.LATE);
    unchecked = metrics.counter(Metrics.DEDUP_UNCHECKED);
    hits = metrics.counter(Metrics.CACHE_HITS);
    misses = metrics.counter(Metrics.CACHE_MISSES);
    sessions = metrics.counter(Metrics.SESSIONS);
    metrics.gauge(Metrics.OPEN_SESSION_EVENTS, () -> openEvents);
    metrics.gauge(Metrics.OPEN_SESSIONS, () -> openSessions);
    metrics.gauge(
        Metrics.EVENT_TIME_LAG, () -> Metrics.secondsSince(watermark, System.currentTimeMillis()));
    commitAges = new LatencyHistogram(metrics, Metrics.EVENT_TO_COMMIT);
    metrics.gauge(Metrics.CACHE_USERS, cache::users);
    metrics.gauge(Metrics.CACHE_BYTES, cache::bytes);

    if (!options.bounded()) {
      long interval = options.flushInterval().toMillis();
      flushing =
          getProcessingTimeService().scheduleWithFixedDelay(time -> flushAll(), interval, interval);
    }
  }

  /** With a cache events wait for a few others, but never beyond a watermark or a barrier. */
  @Override
  public void processElement(StreamRecord<Event> element) throws Exception {
    Event event = element.getValue();
    waiting.add(event.userId(), event, element.getTimestamp());
  }

  private void process(Event event, long time) throws Exception {
    String id = event.userId();
    if (event.isErasure()) {
      erase(id);
      return;
    }
    UserValue value = load(id);
    id = cached ? cache.idOf(id) : id;
    spill.id = id;
    Deduplicate.Verdict verdict = options.deduplicate().judge(event, watermark, value.seen, spill);
    String topic = event.origin().topic();
    long ledgerTime = event.ledgerTime();
    if (verdict == Deduplicate.Verdict.DUPLICATE) {
      ledger.duplicate(topic, ledgerTime);
      duplicates.inc();
      keep(id, value, false);
      return;
    }
    boolean isLate = isLate(event.timestamp());
    if (!isLate) {
      countOnTime(event, value, frontierAt(time));
    }
    if (!isArmed(value, event.timestamp())) {
      arm(id, value);
    }
    keep(id, value, verdict == Deduplicate.Verdict.NEW);

    boolean checked = verdict != Deduplicate.Verdict.UNCHECKED;
    ledger.accepted(topic, ledgerTime, isLate);
    accepted.inc();
    if (isLate) {
      late.inc();
    }
    if (!checked) {
      unchecked.inc();
    }
    // A column of ids in a file finds an instance that it knows without reading it.
    Event same = cached ? event.withUserId(id) : event;
    output.collect(out.replace(new AppEvent(same, isLate, checked), time));
  }

  /** Forgets a user. What was counted stays so; a session that is open ends without a row. */
  private void erase(String id) throws Exception {
    UserValue value = load(id);
    Sessionize sessionize = options.sessionize();
    if (sessionize != null && !value.sessions.isEmpty()) {
      openSessions--;
      overflow.id = id;
      long end = Long.MAX_VALUE;
      sessionize.advance(id, value.sessions, end, end, overflow, (s, cell) -> ended(s));
    }
    cache.remove(id);
    setCurrentKey(id);
    // Where there is none, none goes.
    timers.deleteEventTimeTimer(VoidNamespace.INSTANCE, value.timer);
    timers.deleteEventTimeTimer(VoidNamespace.INSTANCE, value.expiryTimer);
    user.clear();
    held.clear();
    spilled.clear();
    archived.clear();
  }

  private void countOnTime(Event event, UserValue value, long frontier) throws IOException {
    onTimeEvents++;
    samples.offer(event.timestamp());
    List<String> cell = NO_CELL;
    if (cells != null) {
      cell = cells.add(event, value.active);
      if (cells.isFull()) {
        flushCells();
      }
    }
    Sessionize sessionize = options.sessionize();
    if (sessionize != null) {
      openEvents++;
      overflow.id = event.userId();
      int before = open(value);
      sessionize.add(
          event.userId(),
          sessionize.held(event, cell),
          value.sessions,
          frontier,
          overflow,
          closing);
      openSessions += open(value) - before;
    }
  }

  private static int open(UserValue value) {
    return value.sessions.isEmpty() ? 0 : 1;
  }

  private void close(Session session, List<String> cell) {
    sessions.inc();
    ended(session);
    if (cells != null) {
      cells.add(session, cell);
    }
    output.collect(SESSIONS, new StreamRecord<>(session, session.end()));
  }

  private void ended(Session session) {
    closedEvents += session.eventCount();
    openEvents -= session.eventCount();
  }

  private boolean isLate(long timestamp) {
    return watermark != Long.MIN_VALUE && timestamp <= watermark - lateness;
  }

  /** The time at or before which no event comes any more that is not late. */
  private long frontier(long mark) {
    return mark == Long.MIN_VALUE || mark == Long.MAX_VALUE ? mark : mark - lateness;
  }

  /** Sorted input needs no watermark: what comes later of a user is not older. */
  private long frontierAt(long time) {
    return options.bounded() ? time - 1 : frontier(watermark);
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    waiting.drain();
    watermark = Math.max(watermark, mark.getTimestamp());
    if (watermark != Long.MAX_VALUE) {
      // A job that was drained can be started again: the end of input is not a time.
      finiteWatermark = watermark;
    }
    timeServiceManager.advanceWatermark(mark);
    due.drain();
    // What belongs to a window whose row this watermark asks for has to go before it.
    if (cells != null
        && cells.firstEnd() <= mark.getTimestamp() - options.flushDelay().toMillis()) {
      flushCells();
    }
    output.emitWatermark(mark);
  }

  private void flushAll() throws Exception {
    waiting.drain();
    flushCells();
  }

  private void flushCells() {
    if (cells != null) {
      // A part has no time of its own: that of an event among them tells how old live values are.
      long sample = samples.takeOne();
      boolean none = options.bounded() || sample == EventTimeSamples.NONE;
      cells.flush(
          part ->
              output.collect(CELLS, new StreamRecord<>(part, none ? part.cell().end() : sample)));
    }
  }

  @Override
  public void onEventTime(InternalTimer<String, VoidNamespace> timer) throws Exception {
    due.add(timer.getKey(), timer, timer.getTimestamp());
  }

  /** Closes what has ended, forgets what has expired, then waits for the next time. */
  private void fire(InternalTimer<String, VoidNamespace> timer, long time) throws Exception {
    String id = timer.getKey();
    UserValue inCache = cached ? cache.get(id) : null;
    UserValue value = inCache == null ? read(id) : inCache;
    spill.id = id;
    overflow.id = id;
    long now = Math.max(watermark, timers.currentWatermark());
    if (value.timer <= time) {
      value.timer = UserValue.NO_TIMER;
    }
    if (value.expiryTimer <= time) {
      value.expiryTimer = UserValue.NO_TIMER;
      options.deduplicate().expire(now, value.seen, spill);
    }
    Sessionize sessionize = options.sessionize();
    if (sessionize != null && !value.sessions.isEmpty()) {
      sessionize.advance(
          id, value.sessions, frontier(now), frontier(finiteWatermark), overflow, closing);
      openSessions += open(value) - 1;
    }
    value.active.expire(frontier(now));
    if (now != Long.MAX_VALUE) {
      arm(id, value);
    }
    // A user outside the cache stays outside: its timer must not push out one who is active.
    if (inCache != null && !value.isEmpty()) {
      cache.put(id, value, true);
    } else {
      cache.remove(id);
      store(id, value);
    }
  }

  /** Whether the user's timers are early enough for a further event; needs no look at the rest. */
  private boolean isArmed(UserValue value, long timestamp) {
    return value.expiryTimer != UserValue.NO_TIMER
        && (options.sessionize() == null
            || (value.timer != UserValue.NO_TIMER && value.timer <= timestamp + closeDelay));
  }

  /** Sees that the user's timers fire in time. One that fires too early finds nothing to do. */
  private void arm(String id, UserValue value) {
    if (options.sessionize() != null) {
      long close = later(options.sessionize().nextClose(value.sessions));
      if (close < value.timer) {
        value.timer = close;
        register(id, close);
      }
    }
    if (value.expiryTimer == UserValue.NO_TIMER) {
      long expiry = options.deduplicate().nextExpiry(value.seen);
      if (expiry == Long.MAX_VALUE && value.timer == UserValue.NO_TIMER) {
        // Else the windows are forgotten on the way.
        expiry = later(value.active.nextExpiry());
      }
      if (expiry != Long.MAX_VALUE) {
        value.expiryTimer = expiry;
        register(id, expiry);
      }
    }
  }

  private void register(String id, long time) {
    setCurrentKey(id);
    timers.registerEventTimeTimer(VoidNamespace.INSTANCE, time);
  }

  private long later(long frontier) {
    return frontier == Long.MAX_VALUE ? frontier : frontier + lateness;
  }

  @Override
  public void onProcessingTime(InternalTimer<String, VoidNamespace> timer) {
    throw new IllegalStateException("no processing-time timer is ever registered");
  }

  /**
   * Idleness ends here. When all sources are idle every subtask stands still, and tells nobody to
   * go on without it: after a pause one subtask can be hours ahead of another, whose events are on
   * time and must not find their windows closed.
   */
  @Override
  public void processWatermarkStatus(WatermarkStatus status) {
    // See above.
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
    waiting.drain();
    cache.flush();
    flushCells();
    emitCounts(checkpointId);
    samples.barrier(checkpointId);
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    super.notifyCheckpointComplete(checkpointId);
    samples.complete(checkpointId, System.currentTimeMillis(), commitAges);
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    savedWatermark.update(List.of(finiteWatermark));
    savedOpenEvents.update(List.of(openEvents));
    savedOpenSessions.update(List.of(openSessions));
  }

  @Override
  public void finish() throws Exception {
    waiting.drain();
    cache.flush();
    flushCells();
    emitCounts(LedgerEntry.END_OF_INPUT);
    super.finish();
  }

  @Override
  public void close() throws Exception {
    if (flushing != null) {
      flushing.cancel(false);
    }
    super.close();
  }

  private void emitCounts(long checkpoint) {
    ledger.drain(checkpoint, e -> output.collect(LEDGER, new StreamRecord<>(e)));
    if (options.sessionize() != null) {
      SessionBalance balance =
          new SessionBalance(
              options.runId(), options.mode(), checkpoint, onTimeEvents, closedEvents, openEvents);
      output.collect(BALANCE, new StreamRecord<>(balance));
      onTimeEvents = 0;
      closedEvents = 0;
    }
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
}
