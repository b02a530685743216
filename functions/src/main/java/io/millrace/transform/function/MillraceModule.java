package io.millrace.transform.function;

import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.module.Module;

/** The functions of Millrace for SQL: {@code LOAD MODULE millrace}. */
public final class MillraceModule implements Module {
  private static final Map<String, Supplier<FunctionDefinition>> FUNCTIONS = functions();

  private static Map<String, Supplier<FunctionDefinition>> functions() {
    Map<String, Supplier<FunctionDefinition>> functions = new TreeMap<>();
    functions.put("anomaly", JudgeAnomaly::new);
    functions.put("detect_anomalies", DetectAnomaliesByKey::new);
    functions.put("epoch_millis", EpochMillis::new);
    functions.put("forward_fill", ForwardFill::new);
    functions.put("hll_count", CountSketch::new);
    functions.put("hll_merge", MergeSketches::new);
    functions.put("hll_sketch", SketchDistinct::new);
    functions.put("kll_quantile", ApproximateQuantile::new);
    functions.put("median", Median::new);
    functions.put("mode", Mode::new);
    functions.put("moments", Moments::new);
    functions.put("stddev_welford", SampleDeviation::new);
    functions.put("to_number", ToNumber::new);
    functions.put("z_score", ZScore::new);
    return Collections.unmodifiableMap(functions);
  }

  @Override
  public Set<String> listFunctions() {
    return FUNCTIONS.keySet();
  }

  @Override
  public Optional<FunctionDefinition> getFunctionDefinition(String name) {
    return Optional.ofNullable(FUNCTIONS.get(name.toLowerCase(Locale.ROOT))).map(Supplier::get);
  }
}
