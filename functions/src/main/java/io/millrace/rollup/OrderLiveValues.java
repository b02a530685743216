package io.millrace.rollup;

import io.millrace.event.Cell;
import io.millrace.event.LiveRollup;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Lets no present value of a cell follow its final one. {@link RollUp} tells the first, {@link
 * CloseWindow} the second, and nothing but the watermark orders what comes from two operators: what
 * RollUp told of a cell has come when the watermark of the final row has. All values of a cell have
 * to come to one subtask.
 *
 * <p>It has no state. A barrier comes behind the final row, so behind the parts that this was made
 * of, and behind the present values that were told of them.
 */
public final class OrderLiveValues extends AbstractStreamOperator<LiveRollup>
    implements OneInputStreamOperator<LiveRollup, LiveRollup> {
  private static final long serialVersionUID = 1L;

  private final RollupTimes times;

  /** Cells that are final or folded, by the time when that is behind the watermark. */
  private transient TreeMap<Long, Set<Cell>> closed;

  /**
   * @param times as of {@link RollUp}
   */
  public OrderLiveValues(RollupTimes times) {
    this.times = times;
  }

  @Override
  public void open() throws Exception {
    super.open();
    closed = new TreeMap<>();
  }

  @Override
  public void processElement(StreamRecord<LiveRollup> element) {
    LiveRollup value = element.getValue();
    Cell cell = value.rollup().cell();
    long finalAt = cell.end() + times.finalMs();
    if (value.isFinal() || value.retired()) {
      closed.computeIfAbsent(finalAt, at -> new HashSet<>()).add(cell);
      output.collect(element);
    } else if (!closed.getOrDefault(finalAt, Set.of()).contains(cell)) {
      output.collect(element);
    }
  }

  /** How many cells are remembered: those that became final and are not behind the watermark. */
  int closed() {
    return closed.values().stream().mapToInt(Set::size).sum();
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    closed.headMap(mark.getTimestamp(), true).clear();
    super.processWatermark(mark);
  }
}
