package io.millrace.transform.llm;

import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.OutputTag;

/**
 * Sums what {@link CompleteTexts} added to each row, and tells the sums at the end of input: the
 * numbers of {@link CompleteTexts#ADDED}, by comma. Runs with parallelism 1.
 */
public final class SumEffort extends AbstractStreamOperator<RowData>
    implements OneInputStreamOperator<RowData, RowData>, BoundedOneInput {
  private static final long serialVersionUID = 1L;

  static final OutputTag<String> EFFORT = new OutputTag<>("effort", Types.STRING);

  private transient long[] sums;

  @Override
  public void open() throws Exception {
    super.open();
    sums = new long[CompleteTexts.ADDED.size()];
  }

  @Override
  public void processElement(StreamRecord<RowData> element) {
    RowData row = element.getValue();
    int added = row.getArity() - sums.length;
    for (int i = 0; i < sums.length; i++) {
      sums[i] += row.getInt(added + i);
    }
    output.collect(element);
  }

  @Override
  public void endInput() {
    StringBuilder text = new StringBuilder();
    for (long sum : sums) {
      text.append(text.isEmpty() ? "" : ",").append(sum);
    }
    output.collect(EFFORT, new StreamRecord<>(text.toString()));
  }
}
