package io.millrace.transform;

import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * An entry of the catalog. It declares itself, and lowers one step of a pipeline to the Table API;
 * it keeps no state, so one object serves every step of its kind.
 */
public interface Transform {
  /** The name, the parameters and the examples, from which pages, schema and checks are made. */
  Declaration declaration();

  /**
   * Builds the step's rows; nothing runs yet. The arguments have been checked against the
   * declaration, and columns that they name against the inputs.
   *
   * @param inputs one per input, in the order of {@code depends_on}
   * @return the step's rows; null when a problem was reported, or for a load
   */
  @Nullable
  Rows lower(Step step, List<Rows> inputs);

  /**
   * The step's own figures for the run report, in order, such as {@code nulls_filled}; {@code
   * rows_in}, {@code rows_out} and the duration are there already.
   */
  default Map<String, Object> figures(Outcome outcome) {
    return Map.of();
  }
}
