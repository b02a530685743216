package io.millrace.lake.publish;

import io.millrace.lake.catalog.CatalogFactory;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsCommitter;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.sink.FileSinkCommittable;
import org.apache.flink.connector.file.sink.writer.FileWriterBucketState;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.connector.sink2.SupportsPreCommitTopology;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.CheckpointRollingPolicy;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/**
 * Writes a lake table: files that appear when a checkpoint completes, and after that their
 * partitions, registered and in the end marked complete.
 *
 * <pre>
 *   sink writer -+-> committer -> report-commits -+- global -> publish-partitions
 *                `-> announce-commits ------------'            (one subtask)
 * </pre>
 *
 * Writer and committer are FileSink's own. The sink needs a uid; those of the operators that it
 * adds begin with it. One job at a time writes a table.
 */
public final class LakeSink<T>
    implements Sink<T>,
        SupportsWriterState<T, FileWriterBucketState>,
        SupportsWriterState.WithCompatibleState,
        SupportsCommitter<FileSinkCommittable>,
        SupportsPreCommitTopology<FileSinkCommittable, FileSinkCommittable>,
        SupportsPostCommitTopology<FileSinkCommittable> {
  private static final TypeInformation<CommitReport> REPORT =
      TypeInformation.of(CommitReport.class);

  private final FileSink<T> files;
  private final PublishPartitions publish;

  /** From the topology before the committer to the one after it; both are added in one go. */
  private transient DataStream<CommitReport> announcements;

  private LakeSink(FileSink<T> files, PublishPartitions publish) {
    this.files = files;
    this.publish = publish;
  }

  /**
   * A sink for one table, in its folder below the lake's root, with everything else as usual.
   *
   * @param partitions tells a row's {@link io.millrace.lake.catalog.TimePartition#path()}
   */
  public static <T> LakeSink<T> of(
      TableSchema table,
      String lakeRoot,
      BulkWriter.Factory<T> format,
      BucketAssigner<T, String> partitions,
      RowCounter rowCounter,
      CatalogFactory catalogs,
      PublishSettings settings) {
    Path base = new Path(new Path(lakeRoot), table.path());
    return builder(table, base, format, partitions, rowCounter)
        .catalog(catalogs)
        .publishing(settings)
        .build();
  }

  /**
   * A sink for one table.
   *
   * @param base the table's folder
   * @param partitions tells a row's {@link io.millrace.lake.catalog.TimePartition#path()}
   */
  public static <T> Builder<T> builder(
      TableSchema table,
      Path base,
      BulkWriter.Factory<T> format,
      BucketAssigner<T, String> partitions,
      RowCounter rowCounter) {
    return new Builder<>(table, base, format, partitions, rowCounter);
  }

  @Override
  public StatefulSinkWriter<T, FileWriterBucketState> createWriter(WriterInitContext context)
      throws IOException {
    return files.createWriter(context);
  }

  @Override
  public StatefulSinkWriter<T, FileWriterBucketState> restoreWriter(
      WriterInitContext context, Collection<FileWriterBucketState> recovered) throws IOException {
    return files.restoreWriter(context, recovered);
  }

  @Override
  public SimpleVersionedSerializer<FileWriterBucketState> getWriterStateSerializer() {
    return files.getWriterStateSerializer();
  }

  @Override
  public Collection<String> getCompatibleWriterStateNames() {
    return files.getCompatibleWriterStateNames();
  }

  @Override
  public Committer<FileSinkCommittable> createCommitter(CommitterInitContext context)
      throws IOException {
    return files.createCommitter(context);
  }

  @Override
  public SimpleVersionedSerializer<FileSinkCommittable> getCommittableSerializer() {
    return files.getCommittableSerializer();
  }

  @Override
  public SimpleVersionedSerializer<FileSinkCommittable> getWriteResultSerializer() {
    return files.getWriteResultSerializer();
  }

  @Override
  public DataStream<CommittableMessage<FileSinkCommittable>> addPreCommitTopology(
      DataStream<CommittableMessage<FileSinkCommittable>> written) {
    announcements =
        written
            .transform("announce-commits", REPORT, new AnnounceCommits())
            .uid("announce-commits")
            .name("announce-commits");
    return files.addPreCommitTopology(written);
  }

  @Override
  public void addPostCommitTopology(DataStream<CommittableMessage<FileSinkCommittable>> committed) {
    SingleOutputStreamOperator<CommitReport> reports =
        committed
            .transform("report-commits", REPORT, new ReportCommits())
            .uid("report-commits")
            .name("report-commits");
    reports
        .union(announcements)
        .global()
        .transform("publish-partitions", Types.VOID, publish)
        .uid("publish-partitions")
        .name("publish-partitions")
        .forceNonParallel();
  }

  /** Collects what a {@link LakeSink} needs. */
  public static final class Builder<T> {
    private final TableSchema table;
    private final Path base;
    private final BulkWriter.Factory<T> format;
    private final BucketAssigner<T, String> partitions;
    private final RowCounter rowCounter;
    private String location;
    private CatalogFactory catalogs = CatalogSpec.none();
    private PublishSettings settings = PublishSettings.completeAfter(Duration.ofMinutes(10));
    private CheckpointRollingPolicy<T, String> rolling = OnCheckpointRollingPolicy.build();
    private String suffix = ".parquet";

    private Builder(
        TableSchema table,
        Path base,
        BulkWriter.Factory<T> format,
        BucketAssigner<T, String> partitions,
        RowCounter rowCounter) {
      this.table = Objects.requireNonNull(table, "table");
      this.base = Objects.requireNonNull(base, "base");
      this.format = Objects.requireNonNull(format, "format");
      this.partitions = Objects.requireNonNull(partitions, "partitions");
      this.rowCounter = Objects.requireNonNull(rowCounter, "rowCounter");
      this.location = base.toString();
    }

    /** Where tables are registered; nowhere unless told. */
    public Builder<T> catalog(CatalogFactory factory) {
      this.catalogs = Objects.requireNonNull(factory, "factory");
      return this;
    }

    /** The table's folder as the catalog's readers name it, where that is not the base. */
    public Builder<T> location(String uri) {
      this.location = Objects.requireNonNull(uri, "uri");
      return this;
    }

    /** When partitions are complete, and how failures are retried. */
    public Builder<T> publishing(PublishSettings publishing) {
      this.settings = Objects.requireNonNull(publishing, "publishing");
      return this;
    }

    /** When a file ends before the checkpoint does, as by its size. */
    public Builder<T> rolling(CheckpointRollingPolicy<T, String> policy) {
      this.rolling = Objects.requireNonNull(policy, "policy");
      return this;
    }

    /** How file names end; {@code .parquet} unless told. */
    public Builder<T> fileSuffix(String fileSuffix) {
      this.suffix = Objects.requireNonNull(fileSuffix, "fileSuffix");
      return this;
    }

    public LakeSink<T> build() {
      FileSink<T> files =
          FileSink.forBulkFormat(base, format)
              .withBucketAssigner(partitions)
              .withRollingPolicy(rolling)
              .withOutputFileConfig(
                  OutputFileConfig.builder().withPartPrefix("part").withPartSuffix(suffix).build())
              .build();
      return new LakeSink<>(
          files, new PublishPartitions(table, base, location, catalogs, rowCounter, settings));
    }
  }
}
