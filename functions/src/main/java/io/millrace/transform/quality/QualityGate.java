package io.millrace.transform.quality;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.transform.QualityGateException;
import java.util.ArrayList;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Ends the job when a verdict says that it has to, else tells that it is open. It does so at the
 * end of its input: what is to be whole before the job may end is part of it.
 */
public final class QualityGate extends AbstractStreamOperator<Boolean>
    implements OneInputStreamOperator<String, Boolean>, BoundedOneInput {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String step;
  private final ArrayList<String> failed = new ArrayList<>();

  public QualityGate(String step) {
    this.step = step;
  }

  @Override
  public void processElement(StreamRecord<String> verdict) throws JsonProcessingException {
    for (JsonNode name : JSON.readTree(verdict.getValue()).get(JudgeQuality.FAILED)) {
      failed.add(name.asText());
    }
  }

  @Override
  public void endInput() {
    if (!failed.isEmpty()) {
      throw new QualityGateException(step, String.join(", ", failed));
    }
    output.collect(new StreamRecord<>(true));
  }
}
