package io.millrace.pipeline;

import java.util.ArrayList;
import org.apache.flink.api.common.accumulators.ListAccumulator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Brings the few texts that a step tells to the run report, by an accumulator. */
public final class CollectTexts extends AbstractStreamOperator<String>
    implements OneInputStreamOperator<String, String> {
  private static final long serialVersionUID = 1L;
  private static final int MOST = 1_000;

  private final String accumulator;
  private transient ListAccumulator<String> texts;
  private transient ArrayList<String> local;

  public CollectTexts(String accumulator) {
    this.accumulator = accumulator;
  }

  /** The name of the accumulator of what a step collects by that name. */
  public static String accumulator(String stepId, String name) {
    return "step " + stepId + " tells " + name;
  }

  @Override
  public void open() throws Exception {
    super.open();
    texts = new ListAccumulator<>();
    local = texts.getLocalValue();
    getRuntimeContext().addAccumulator(accumulator, texts);
  }

  @Override
  public void processElement(StreamRecord<String> element) {
    if (local.size() >= MOST) {
      throw new IllegalStateException(
          "'" + accumulator + "' has more than " + MOST + " texts, which a report is not for");
    }
    local.add(element.getValue());
    output.collect(element);
  }
}
