package io.millrace.pipeline;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * What a run of a pipeline did, step by step; written as JSON.
 *
 * @param startedAt an ISO instant in UTC
 * @param error why it failed, in one line
 * @param savepoint from which a run that was stopped can go on
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunReport(
    @JsonProperty("run_id") String runId,
    @JsonProperty("pipeline_name") String pipeline,
    Status status,
    @JsonProperty("started_at") String startedAt,
    @JsonProperty("total_duration_sec") double durationSeconds,
    List<StepReport> steps,
    List<String> warnings,
    @Nullable String error,
    @Nullable String savepoint) {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** How a run ended. */
  public enum Status {
    @JsonProperty("completed")
    COMPLETED,
    /** An unbounded run was told to end. */
    @JsonProperty("stopped")
    STOPPED,
    @JsonProperty("quality_failed")
    QUALITY_FAILED,
    @JsonProperty("failed")
    FAILED
  }

  /** How a step ended; skipped when it never had its input. */
  public enum StepStatus {
    @JsonProperty("success")
    SUCCESS,
    @JsonProperty("failed")
    FAILED,
    @JsonProperty("skipped")
    SKIPPED
  }

  /**
   * One step.
   *
   * @param rowsIn of all inputs; 0 for an extract
   * @param durationSeconds from its first row to the end of its input; steps of one job overlap
   * @param figures its own, in order
   */
  public record StepReport(
      String stepId,
      String service,
      StepStatus status,
      long rowsIn,
      long rowsOut,
      double durationSeconds,
      Map<String, Object> figures) {
    /** One flat object, the figures behind what every step has. */
    @com.fasterxml.jackson.annotation.JsonValue
    public Map<String, Object> asObject() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("step_id", stepId);
      object.put("service", service);
      object.put("status", status);
      object.put("rows_in", rowsIn);
      object.put("rows_out", rowsOut);
      object.put("duration_sec", durationSeconds);
      object.putAll(figures);
      return object;
    }
  }

  /** The step of that id. */
  public StepReport step(String id) {
    return steps.stream().filter(step -> step.stepId().equals(id)).findFirst().orElseThrow();
  }

  public String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
