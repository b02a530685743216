package io.millrace.transform;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.MapFunction;

/** Ends the job when the verdict says that it has to. */
public final class QualityGate implements MapFunction<String, Boolean> {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String step;

  public QualityGate(String step) {
    this.step = step;
  }

  @Override
  public Boolean map(String verdict) throws JsonProcessingException {
    JsonNode failed = JSON.readTree(verdict).get(JudgeQuality.FAILED);
    List<String> names = new ArrayList<>();
    failed.forEach(name -> names.add(name.asText()));
    if (!names.isEmpty()) {
      throw new QualityGateException(step, String.join(", ", names));
    }
    return true;
  }
}
