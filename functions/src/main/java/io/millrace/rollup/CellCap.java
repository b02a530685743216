package io.millrace.rollup;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.Rollup;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Bounds the cells of a window. The values of the dimension that has most are folded into {@code
 * OTHER}, those with the fewest events first (ties by name, the last first), in every grouping set
 * alike, so that the sums over each level stay equal. Where cells become one, the exact number of
 * distinct users is lost, and the sketch's estimate takes its place.
 */
final class CellCap {
  private final RollupSpec spec;
  private final int maxCells;

  CellCap(RollupSpec spec, int maxCells) {
    this.spec = spec;
    this.maxCells = maxCells;
  }

  /** The rows of one window, at most as many as allowed if each set can have one. */
  List<Rollup> apply(List<Rollup> rows) {
    if (rows.size() <= maxCells) {
      return rows;
    }
    List<List<String>> values = new ArrayList<>();
    for (int d = 0; d < spec.dimensions().size(); d++) {
      values.add(bySize(rows, d));
    }
    int[] keep = values.stream().mapToInt(List::size).toArray();
    List<Set<String>> kept = new ArrayList<>();
    values.forEach(v -> kept.add(new HashSet<>(v)));
    while (cells(rows, kept) > maxCells) {
      int largest = 0;
      for (int d = 1; d < keep.length; d++) {
        largest = keep[d] > keep[largest] ? d : largest;
      }
      if (keep[largest] == 0) {
        break;
      }
      keep[largest] -= Math.max(1, keep[largest] / 10);
      kept.set(largest, new HashSet<>(values.get(largest).subList(0, keep[largest])));
    }
    return fold(rows, kept);
  }

  /** The values of a dimension, those with most events first. */
  private List<String> bySize(List<Rollup> rows, int d) {
    Map<String, Long> events = new HashMap<>();
    for (Rollup row : rows) {
      if (row.cell().kept() == spec.finest()) {
        events.merge(row.cell().values().get(d), row.counts().events()[CellCounts.ALL], Long::sum);
      }
    }
    events.remove(Rollup.OTHER);
    Comparator<Map.Entry<String, Long>> most = Map.Entry.comparingByValue();
    return events.entrySet().stream()
        .sorted(most.reversed().thenComparing(Map.Entry.comparingByKey()))
        .map(Map.Entry::getKey)
        .toList();
  }

  private int cells(List<Rollup> rows, List<Set<String>> kept) {
    Set<Cell> cells = new HashSet<>();
    for (Rollup row : rows) {
      cells.add(folded(row.cell(), kept));
    }
    return cells.size();
  }

  private static Cell folded(Cell cell, List<Set<String>> kept) {
    String[] values = new String[kept.size()];
    for (int d = 0; d < values.length; d++) {
      String value = cell.values().get(d);
      boolean rolledUp = (cell.kept() >> d & 1) == 0;
      values[d] = rolledUp || kept.get(d).contains(value) ? value : Rollup.OTHER;
    }
    return new Cell(cell.daily(), cell.start(), cell.kept(), List.of(values));
  }

  private static List<Rollup> fold(List<Rollup> rows, List<Set<String>> kept) {
    Map<Cell, Rollup> folded = new LinkedHashMap<>();
    for (Rollup row : rows) {
      Cell cell = folded(row.cell(), kept);
      folded.merge(cell, new Rollup(cell, row.counts(), row.distinctApproximate()), CellCap::merge);
    }
    return new ArrayList<>(folded.values());
  }

  private static Rollup merge(Rollup one, Rollup other) {
    CellCounts a = one.counts();
    CellCounts b = other.counts();
    long[] events = a.events().clone();
    for (int i = 0; i < events.length; i++) {
      events[i] += b.events()[i];
    }
    byte[] users = UserSketch.union(a.activeUsersHll(), b.activeUsersHll());
    return new Rollup(
        one.cell(),
        new CellCounts(
            events,
            UserSketch.estimate(users),
            a.sessionsEnded() + b.sessionsEnded(),
            a.bouncedSessions() + b.bouncedSessions(),
            a.sessionMs() + b.sessionMs(),
            users),
        true);
  }
}
