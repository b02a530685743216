package io.millrace.rollup;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What is rolled up: dimensions, the sets of them that get rows, and counters of further events.
 *
 * @param dimensions in order; each one of {@link #FIELDS} or {@code properties.NAME}
 * @param sets bit masks of dimensions that are kept, the finest first and the grand total last;
 *     both are always there, since they are checked against each other
 * @param counters column to event type, for the columns after the fixed ones, in order
 * @param allowed values of a dimension that are told apart, others are {@code OTHER}; a dimension
 *     that is not a key allows all
 */
public record RollupSpec(
    List<String> dimensions,
    List<Integer> sets,
    Map<String, String> counters,
    Map<String, Set<String>> allowed)
    implements Serializable {

  /** The event's own fields that may be dimensions. */
  public static final List<String> FIELDS =
      List.of("device_type", "os_version", "app_version", "country", "region", "city");

  /** The dimensions unless told otherwise. */
  public static final List<String> DEFAULT_DIMENSIONS =
      List.of("device_type", "app_version", "country");

  private static final int MAX_DIMENSIONS = 8;

  private static final Map<String, String> ALL_NAMES =
      Map.of(
          "device_type", "ALL_DEVICES",
          "os_version", "ALL_OS_VERSIONS",
          "app_version", "ALL_VERSIONS",
          "country", "ALL_COUNTRIES",
          "region", "ALL_REGIONS",
          "city", "ALL_CITIES");

  public RollupSpec {
    dimensions = List.copyOf(dimensions);
    if (dimensions.isEmpty() || dimensions.size() > MAX_DIMENSIONS) {
      throw new IllegalArgumentException(
          "there must be 1 to " + MAX_DIMENSIONS + " dimensions, were " + dimensions);
    }
    for (String name : dimensions) {
      if (!FIELDS.contains(name) && !name.matches("properties\\.[A-Za-z0-9_]+")) {
        throw new IllegalArgumentException(
            "not a dimension: '" + name + "', allowed are " + FIELDS + " and properties.NAME");
      }
    }
    if (new HashSet<>(dimensions).size() < dimensions.size()) {
      throw new IllegalArgumentException("a dimension is named twice: " + dimensions);
    }
    int finest = (1 << dimensions.size()) - 1;
    Set<Integer> all = new TreeSet<>((a, b) -> Integer.compare(b, a));
    all.addAll(sets);
    all.add(finest);
    all.add(0);
    sets = List.copyOf(all);
    // An order that every JVM agrees on: counters are positions in state.
    counters = Collections.unmodifiableSortedMap(new TreeMap<>(counters));
    allowed = Map.copyOf(allowed);
  }

  /** All combinations of the default dimensions, with the fixed counters. */
  public static RollupSpec defaults() {
    return cube(DEFAULT_DIMENSIONS, Map.of(), Map.of());
  }

  /** All combinations of some dimensions. */
  public static RollupSpec cube(
      List<String> dimensions, Map<String, String> counters, Map<String, Set<String>> allowed) {
    List<Integer> sets = new ArrayList<>();
    for (int kept = (1 << dimensions.size()) - 1; kept >= 0; kept--) {
      sets.add(kept);
    }
    return new RollupSpec(dimensions, sets, counters, allowed);
  }

  /** The finest set: no dimension is rolled up. */
  public int finest() {
    return (1 << dimensions.size()) - 1;
  }

  /** What stands in place of a dimension's value where it is rolled up, as ALL_DEVICES. */
  public String allName(int dimension) {
    String name = dimensions.get(dimension);
    String known = ALL_NAMES.get(name);
    return known != null ? known : "ALL_" + column(dimension).toUpperCase(Locale.ROOT);
  }

  /** The column of a dimension: its name, for a property without the prefix. */
  public String column(int dimension) {
    return dimensions.get(dimension).replaceFirst("^properties\\.", "");
  }
}
