package io.millrace.transform.keyed;

import io.millrace.telemetry.Metrics;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.metrics.Counter;
import org.apache.flink.util.function.SerializableFunction;

/** What becomes of unbounded rows that violate a rule; each violation is counted. */
public final class Violations implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Metric: rows that violate a rule, by label {@link #RULE}. */
  private static final String RULE_VIOLATIONS = "rule_violations";

  /** The rule's name. */
  private static final String RULE = "rule";

  /** What can become of them. */
  public enum OnFail {
    /** They are left out. */
    DROP,
    /** The job ends. */
    FAIL,
    /** They pass. */
    WARN
  }

  private final OnFail onFail;
  private final SerializableFunction<String, RuntimeException> end;
  @Nullable private transient Map<String, Counter> counters;

  /** {@code end} makes what ends the job, from the names of the rules. */
  public Violations(OnFail onFail, SerializableFunction<String, RuntimeException> end) {
    this.onFail = onFail;
    this.end = end;
  }

  /**
   * Whether the row passes.
   *
   * @param rules the names of rules that it violates, which are few
   */
  boolean pass(List<String> rules, RuntimeContext context) {
    if (rules.isEmpty()) {
      return true;
    }
    if (counters == null) {
      counters = new HashMap<>();
    }
    for (String rule : rules) {
      counters.computeIfAbsent(rule, name -> counter(name, context)).inc();
    }
    if (onFail == OnFail.FAIL) {
      throw end.apply(String.join(", ", rules));
    }
    return onFail == OnFail.WARN;
  }

  private static Counter counter(String rule, RuntimeContext context) {
    return context
        .getMetricGroup()
        .addGroup(Metrics.GROUP)
        .addGroup(RULE, rule)
        .counter(RULE_VIOLATIONS);
  }
}
