package io.millrace.lake.publish;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.connector.file.sink.FileSinkCommittable;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableSummary;
import org.apache.flink.streaming.api.connector.sink2.CommittableWithLineage;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Tells the publisher which folders a checkpoint is about to get files in.
 *
 * <p>The last files of a job are committed after the end of data, and a task drops every record
 * that comes over the network after that: without the announcement, which comes before it, the
 * publisher would never hear of them.
 */
public final class AnnounceCommits extends AbstractStreamOperator<CommitReport>
    implements OneInputStreamOperator<CommittableMessage<FileSinkCommittable>, CommitReport> {
  private transient Set<String> folders;
  private transient int missing;

  @Override
  public void processElement(StreamRecord<CommittableMessage<FileSinkCommittable>> element) {
    CommittableMessage<FileSinkCommittable> message = element.getValue();
    if (message instanceof CommittableSummary<FileSinkCommittable> summary) {
      folders = new TreeSet<>();
      missing = summary.getNumberOfCommittables();
    } else if (message instanceof CommittableWithLineage<FileSinkCommittable> prepared) {
      missing--;
      // Others ask the committer to remove a file that was left behind.
      if (prepared.getCommittable().hasPendingFile()) {
        folders.add(prepared.getCommittable().getBucketId());
      }
      if (missing == 0 && !folders.isEmpty()) {
        announce(message.getCheckpointId());
      }
    }
  }

  private void announce(long checkpoint) {
    int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
    int subtasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
    output.collect(
        new StreamRecord<>(
            new CommitReport(
                subtask,
                subtasks,
                checkpoint,
                false,
                List.copyOf(folders),
                Long.MIN_VALUE,
                false)));
  }
}
