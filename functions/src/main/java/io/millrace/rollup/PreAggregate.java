package io.millrace.rollup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.millrace.event.CellCounts;
import io.millrace.event.Event;
import io.millrace.event.Rollup;
import io.millrace.event.Session;
import io.millrace.rollup.Leaf.HourCounts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import javax.annotation.Nullable;

/**
 * Counts what one subtask sees, in the finest cells, and hands over the parts of all cells at a
 * flush: only these cross the network. It holds nothing that a checkpoint must keep, as long as it
 * is flushed before the barrier.
 *
 * <p>It also tells distinct users: a user is counted once per cell and window, because all events
 * of a user come to one subtask, and its {@link ActiveWindows} are part of the user's value.
 */
public final class PreAggregate {
  private static final long HOUR_MS = 3_600_000L;
  private static final long DAY_MS = 24 * HOUR_MS;
  private static final int[] NO_COUNTER = {};
  private static final int TYPE_SLOTS = 64;

  /** Combinations of values that are kept at hand; clients may tell any. */
  private static final int MAX_LEAVES = 65_536;

  /** Hours of combinations after which a flush is due. */
  private static final int MAX_COUNTS = 16_384;

  /** Users of hours and combinations after which a flush is due. */
  private static final int MAX_USERS = 65_536;

  private final RollupSpec spec;
  private final int counters;
  private final int sets;
  private final Map<String, int[]> countersOfType = new HashMap<>();
  private final String[] slotTypes = new String[TYPE_SLOTS];
  private final int[][] slotCounters = new int[TYPE_SLOTS][];
  private final Map<List<String>, Leaf> leaves = new HashMap<>();
  private final List<Leaf> dirty = new ArrayList<>();
  private final List<Map<List<String>, Group>> groups = new ArrayList<>();
  private final DistinctUsers users;
  private final int[] fields;
  private final String[] properties;
  private final Set<?>[] allowed;
  private final String[] allNames;
  private final String[] raw;
  private final List<String> others;
  private int held;
  private int heldUsers;
  private long firstEnd = Long.MAX_VALUE;

  public PreAggregate(RollupSpec spec) {
    this.spec = spec;
    this.counters = CellCounts.FIXED + spec.counters().size();
    this.sets = spec.sets().size();
    spec.sets().forEach(kept -> groups.add(new HashMap<>()));
    this.users = new DistinctUsers(spec.sets());
    int dimensions = spec.dimensions().size();
    this.fields = new int[dimensions];
    this.properties = new String[dimensions];
    this.allowed = new Set<?>[dimensions];
    this.allNames = new String[dimensions];
    this.raw = new String[dimensions];
    this.others = List.copyOf(Collections.nCopies(dimensions, Rollup.OTHER));
    for (int d = 0; d < dimensions; d++) {
      String name = spec.dimensions().get(d);
      fields[d] = RollupSpec.FIELDS.indexOf(name);
      properties[d] = fields[d] < 0 ? spec.column(d) : null;
      allowed[d] = spec.allowed().get(name);
      allNames[d] = spec.allName(d);
    }
    countersOfType.put("install", new int[] {CellCounts.INSTALLS});
    countersOfType.put("session_start", new int[] {CellCounts.SESSION_STARTS});
    countersOfType.put("view_notification", new int[] {CellCounts.VIEWS});
    countersOfType.put("open_notification", new int[] {CellCounts.OPENS});
    int position = CellCounts.FIXED;
    for (String type : spec.counters().values()) {
      int[] before = countersOfType.getOrDefault(type, NO_COUNTER);
      int[] after = Arrays.copyOf(before, before.length + 1);
      after[before.length] = position;
      countersOfType.put(type, after);
      position++;
    }
  }

  /**
   * Counts an event that is not late.
   *
   * @param active what is remembered of its user
   * @return the event's values in the dimensions; all {@code OTHER} when its user has come with too
   *     many combinations on that day
   */
  public List<String> add(Event event, ActiveWindows active) {
    Leaf leaf = leaf(event, active);
    long hour = Math.floorDiv(event.timestamp(), HOUR_MS) * HOUR_MS;
    if (active.lastHour != hour && users.isFull(leaf.values, hour, active)) {
      leaf = leaves.computeIfAbsent(others, this::newLeaf);
      active.lastLeaf = leaf;
      active.lastRaw = null;
    }
    HourCounts counts = counts(leaf, hour);
    counts.events[CellCounts.ALL]++;
    for (int counter : countersOf(event.eventType())) {
      counts.events[counter]++;
    }
    if (active.lastHour != hour) {
      active.lastHour = hour;
      if (users.add(leaf.values, hour, active, counts)) {
        counts.users.add(event.userId().getBytes(UTF_8));
        heldUsers++;
      }
    }
    return leaf.values;
  }

  /** Counts a session under the values of its first event, in the window of its last. */
  public void add(Session session, List<String> values) {
    long hour = Math.floorDiv(session.end(), HOUR_MS) * HOUR_MS;
    // Sessions that began while there were no rollups have no values.
    List<String> known =
        values.size() == raw.length ? values : Collections.nCopies(raw.length, Rollup.UNKNOWN);
    HourCounts counts = counts(leaves.computeIfAbsent(List.copyOf(known), this::newLeaf), hour);
    counts.sessionsEnded++;
    counts.sessionMs += session.durationMs();
    if (session.isBounce()) {
      counts.bouncedSessions++;
    }
  }

  /** Types come as few objects, so the one in its slot is mostly the same object. */
  @SuppressWarnings("ReferenceEquality")
  private int[] countersOf(String type) {
    int slot = type.hashCode() & (TYPE_SLOTS - 1);
    if (slotTypes[slot] != type) {
      slotTypes[slot] = type;
      slotCounters[slot] = countersOfType.getOrDefault(type, NO_COUNTER);
    }
    return slotCounters[slot];
  }

  private Leaf leaf(Event event, ActiveWindows active) {
    boolean same = active.lastRaw != null;
    for (int d = 0; d < raw.length; d++) {
      String value = value(event, d);
      raw[d] = value;
      same = same && equal(value, active.lastRaw[d]);
    }
    if (same) {
      return active.lastLeaf;
    }
    String[] values = new String[raw.length];
    for (int d = 0; d < raw.length; d++) {
      values[d] = named(raw[d], d);
    }
    if (leaves.size() >= MAX_LEAVES) {
      leaves.clear();
      groups.forEach(Map::clear);
    }
    active.lastRaw = raw.clone();
    active.lastLeaf = leaves.computeIfAbsent(List.of(values), this::newLeaf);
    active.lastHour = Long.MIN_VALUE;
    return active.lastLeaf;
  }

  @SuppressWarnings("ReferenceEquality")
  private static boolean equal(@Nullable String one, @Nullable String other) {
    return one == other || (one != null && one.equals(other));
  }

  /** The positions are those of {@link RollupSpec#FIELDS}. */
  @Nullable
  private String value(Event event, int d) {
    if (properties[d] != null) {
      return event.properties().get(properties[d]);
    }
    return switch (fields[d]) {
      case 0 -> event.device().deviceType();
      case 1 -> event.device().osVersion();
      case 2 -> event.device().appVersion();
      case 3 -> event.geo().country();
      case 4 -> event.geo().region();
      default -> event.geo().city();
    };
  }

  /** A value that could be taken for a rolled-up one is none. */
  private String named(@Nullable String value, int d) {
    if (value == null || value.isEmpty() || value.equals(allNames[d])) {
      return Rollup.UNKNOWN;
    }
    return allowed[d] == null || allowed[d].contains(value) ? value : Rollup.OTHER;
  }

  private HourCounts counts(Leaf leaf, long hour) {
    HourCounts counts = leaf.find(hour);
    if (counts == null) {
      if (leaf.isClean()) {
        dirty.add(leaf);
      }
      counts = new HourCounts(hour, counters, sets);
      leaf.add(counts);
      held++;
      firstEnd = Math.min(firstEnd, hour + HOUR_MS);
    }
    return counts;
  }

  /** Whether so much is held that it should be flushed. */
  public boolean isFull() {
    return held >= MAX_COUNTS || heldUsers >= MAX_USERS;
  }

  /** The end of the first window that something is held for; {@link Long#MAX_VALUE} for none. */
  public long firstEnd() {
    return firstEnd;
  }

  /** Hands over the parts of all cells, and starts from zero. */
  public void flush(Consumer<Rollup> out) {
    if (dirty.isEmpty()) {
      return;
    }
    List<Group> touched = new ArrayList<>();
    for (Leaf leaf : dirty) {
      for (HourCounts hour : leaf.hours()) {
        long day = Math.floorDiv(hour.start, DAY_MS) * DAY_MS;
        for (int s = 0; s < sets; s++) {
          Group group = leaf.groups[s];
          if (group.add(false, hour.start, hour, hour.newInEachHourCell + hour.newInHour[s])) {
            touched.add(group);
          }
          group.add(true, day, hour, hour.newInEachDayCell + hour.newInDay[s]);
        }
      }
      leaf.clear();
    }
    dirty.clear();
    held = 0;
    heldUsers = 0;
    firstEnd = Long.MAX_VALUE;
    touched.forEach(group -> group.drain(out));
  }

  private Leaf newLeaf(List<String> values) {
    Group[] of = new Group[sets];
    for (int s = 0; s < sets; s++) {
      int kept = spec.sets().get(s);
      List<String> projected = project(values, kept);
      of[s] = groups.get(s).computeIfAbsent(projected, p -> new Group(kept, p));
    }
    return new Leaf(values, of);
  }

  private List<String> project(List<String> values, int kept) {
    String[] projected = new String[values.size()];
    for (int d = 0; d < projected.length; d++) {
      projected[d] = (kept >> d & 1) == 1 ? values.get(d) : allNames[d];
    }
    return List.of(projected);
  }
}
