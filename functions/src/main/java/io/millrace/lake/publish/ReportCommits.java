package io.millrace.lake.publish;

import io.millrace.telemetry.Metrics;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.connector.file.sink.FileSinkCommittable;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableSummary;
import org.apache.flink.streaming.api.connector.sink2.CommittableWithLineage;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/**
 * Follows each subtask of a sink's committer and reports, per checkpoint, what is committed and up
 * to which watermark.
 *
 * <p>Why a watermark w(n), seen here at barrier n, is covered once the committer's summary of
 * checkpoint n has arrived with its committables:
 *
 * <ol>
 *   <li>Writer, committer and this operator are joined one to one and in order, the committer
 *       forwards watermarks unheld, and barriers are aligned in sinks: so w(n) passed the writer
 *       before barrier n, and any row that it writes after barrier n is later than w(n), or late.
 *   <li>Bulk files roll at every checkpoint: the rows before barrier n are in pending files of
 *       checkpoints up to n, and the writer has sent those ahead of the barrier.
 *   <li>The committer sends the summary of n, an empty one too, after it has committed n and every
 *       earlier checkpoint that it still held, in ascending order.
 *   <li>What it sent before a failure is in the publisher's state of the restored checkpoint, or
 *       still in its own, which it commits and sends again. No watermark is restored, so such a
 *       summary, for which no barrier was seen here, moves nothing.
 * </ol>
 *
 * The least w over all subtasks is therefore covered, whatever checkpoint each of them is at. A
 * subtask that ends reports its last files under a checkpoint of its own numbering, perhaps one
 * whose barrier it never saw; it then stays at an older w until the job ends, which is late but
 * never early.
 */
public final class ReportCommits extends AbstractStreamOperator<CommitReport>
    implements OneInputStreamOperator<CommittableMessage<FileSinkCommittable>, CommitReport> {

  private record Mark(long watermark, boolean idle) {}

  private static final Mark NONE = new Mark(Long.MIN_VALUE, false);

  private transient NavigableMap<Long, Mark> marks;
  private transient Set<String> folders;
  private transient long checkpoint;
  private transient int missing;
  private transient long watermark;
  private transient boolean idle;
  private transient Counter files;

  @Override
  public void open() throws Exception {
    super.open();
    marks = new TreeMap<>();
    watermark = Long.MIN_VALUE;
    files = getMetricGroup().addGroup(Metrics.GROUP).counter(Metrics.FILES_COMMITTED);
  }

  @Override
  public void processElement(StreamRecord<CommittableMessage<FileSinkCommittable>> element) {
    CommittableMessage<FileSinkCommittable> message = element.getValue();
    if (message instanceof CommittableSummary<FileSinkCommittable> summary) {
      folders = new TreeSet<>();
      checkpoint = summary.getCheckpointId();
      missing = summary.getNumberOfCommittables();
    } else if (message instanceof CommittableWithLineage<FileSinkCommittable> committed) {
      missing--;
      // Others ask the committer to remove a file that was left behind.
      if (committed.getCommittable().hasPendingFile()) {
        files.inc();
        folders.add(committed.getCommittable().getBucketId());
      }
    }
    if (missing == 0) {
      report();
    }
  }

  private void report() {
    marks = new TreeMap<>(marks.tailMap(latestUpTo(checkpoint), true));
    Map.Entry<Long, Mark> reached = marks.floorEntry(checkpoint);
    Mark mark = reached == null ? NONE : reached.getValue();
    int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
    int subtasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
    output.collect(
        new StreamRecord<>(
            new CommitReport(
                subtask,
                subtasks,
                checkpoint,
                true,
                List.copyOf(folders),
                mark.watermark(),
                mark.idle())));
  }

  private long latestUpTo(long id) {
    Long latest = marks.floorKey(id);
    return latest == null ? Long.MIN_VALUE : latest;
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    watermark = mark.getTimestamp();
    super.processWatermark(mark);
  }

  @Override
  public void processWatermarkStatus(WatermarkStatus status) throws Exception {
    idle = status.isIdle();
    super.processWatermarkStatus(status);
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    marks.put(context.getCheckpointId(), new Mark(watermark, idle));
  }
}
