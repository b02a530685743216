package io.millrace.transform;

import java.util.List;
import java.util.Map;

/**
 * What a step did, for its figures.
 *
 * @param arguments the step's
 * @param in what came in, one per input
 * @param out what went out; for a load what it wrote
 * @param collected texts that the step collected by name, see {@link Step#collect}
 * @param facts what was known when the step was lowered, such as an output file
 */
public record Outcome(
    Arguments arguments,
    List<Counts> in,
    Counts out,
    Map<String, List<String>> collected,
    Map<String, Object> facts) {

  /**
   * What was counted of a step's rows.
   *
   * @param nulls what is missing, null or NaN, per visible column, in order
   */
  public record Counts(long rows, List<String> columns, List<Long> nulls) {
    public long allNulls() {
      return nulls.stream().mapToLong(Long::longValue).sum();
    }
  }
}
