package io.millrace.lake.publish;

import io.millrace.lake.catalog.CatalogFactory;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers each partition after the first commit to it, and marks it complete when the commits of
 * all subtasks reach past its end plus lateness; the single subtask at the end of a {@link
 * LakeSink}.
 *
 * <p>Completeness: {@link ReportCommits} tells up to which watermark each subtask's rows are in
 * committed files; the least of them holds for the table, from the moment on that every subtask has
 * reported since the start: nothing is complete too early after a restore, whose watermarks start
 * anew, while the incomplete partitions are in this operator's state. The end of input needs no
 * watermark: a {@link #close()} after it, without a failure, comes when the final checkpoint is
 * complete and every committer has ended, so all that was ever announced is committed, though the
 * last reports are not delivered (see {@link AnnounceCommits}). The same holds in batch mode, where
 * nothing else ever completes a partition. A partition that gets a late file is opened again and
 * counted again; {@link Completion} tells whether that changes anything.
 *
 * <p>A failure after the final checkpoint, or a catalog that is down for longer than the close
 * waits, leaves partitions unregistered, because a job that has ended restores nothing; the close
 * says so, and {@link Repair} registers them.
 */
public final class PublishPartitions extends AbstractStreamOperator<Void>
    implements OneInputStreamOperator<CommitReport, Void>, BoundedOneInput {
  static final ListStateDescriptor<OpenPartition> OPEN_PARTITIONS =
      new ListStateDescriptor<>("open-partitions", TypeInformation.of(OpenPartition.class));

  private static final Logger LOG = LoggerFactory.getLogger(PublishPartitions.class);

  private final TableSchema table;
  private final Path base;
  private final String location;
  private final CatalogFactory catalogs;
  private final RowCounter rowCounter;
  private final PublishSettings settings;

  private transient ListState<OpenPartition> state;
  private transient Publisher publisher;
  private transient PublishMetrics figures;
  private transient Map<Integer, CommitReport> reached;
  private transient Map<Integer, NavigableMap<Long, List<String>>> announced;
  private transient boolean ended;

  PublishPartitions(
      TableSchema table,
      Path base,
      String location,
      CatalogFactory catalogs,
      RowCounter rowCounter,
      PublishSettings settings) {
    this.table = table;
    this.base = base;
    this.location = location;
    this.catalogs = catalogs;
    this.rowCounter = rowCounter;
    this.settings = settings;
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    state = context.getOperatorStateStore().getListState(OPEN_PARTITIONS);
  }

  @Override
  public void open() throws Exception {
    super.open();
    reached = new HashMap<>();
    announced = new HashMap<>();
    figures = new PublishMetrics(getMetricGroup(), table.name());
    publisher = new Publisher(table, base, location, catalogs, rowCounter, settings, figures);
    publisher.restore(state.get());
    figures.observe(publisher);
    publisher.start("publish-" + table.name(), getUserCodeClassloader());
  }

  @Override
  public void processElement(StreamRecord<CommitReport> element) {
    CommitReport report = element.getValue();
    NavigableMap<Long, List<String>> pending =
        announced.computeIfAbsent(report.subtask(), subtask -> new TreeMap<>());
    if (!report.committed()) {
      pending.put(report.checkpoint(), report.folders());
      return;
    }
    pending.headMap(report.checkpoint(), true).clear();
    if (!report.folders().isEmpty()) {
      report.folders().forEach(this::add);
      figures.committed();
    }
    reached.put(report.subtask(), report);
    if (reached.size() == report.subtasks()) {
      boolean pause = reached.values().stream().allMatch(CommitReport::idle);
      reached.values().stream()
          // In a pause of all of them the last watermark may have come with it.
          .filter(r -> pause || !r.idle())
          .mapToLong(CommitReport::watermark)
          .min()
          .ifPresent(publisher::advance);
    }
  }

  private void add(String folder) {
    publisher.add(TimePartition.parse(folder, table.granularity()));
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    state.update(publisher.open());
  }

  @Override
  public void endInput() {
    ended = true;
  }

  @Override
  public void close() throws Exception {
    try {
      if (publisher != null && !failed()) {
        if (ended) {
          announced.values().stream()
              .flatMap(pending -> pending.values().stream())
              .flatMap(List::stream)
              .forEach(this::add);
          publisher.advance(Long.MAX_VALUE);
        }
        publishTheRest();
      }
    } finally {
      if (publisher != null) {
        publisher.close();
      }
      super.close();
    }
  }

  private void publishTheRest() throws InterruptedException {
    if (publisher.finish(settings.closeTimeout(), () -> !failed()) || failed()) {
      return;
    }
    Collection<TimePartition> missing = publisher.missing();
    if (!missing.isEmpty()) {
      LOG.error(
          "{} partitions of table {} are not registered in the catalog, the first is {}: the files"
              + " are there, scripts/partitions registers them",
          missing.size(),
          table.name(),
          missing.iterator().next().path());
    } else {
      LOG.error(
          "{} partitions of table {} could not be marked complete: scripts/partitions repairs it",
          publisher.due(),
          table.name());
    }
  }

  private boolean failed() {
    return getContainingTask().isCanceled() || getContainingTask().isFailing();
  }
}
