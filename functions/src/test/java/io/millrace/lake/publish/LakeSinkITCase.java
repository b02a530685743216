package io.millrace.lake.publish;

import static io.millrace.lake.publish.Lakes.FIRST;
import static io.millrace.lake.publish.Lakes.LINES;
import static io.millrace.lake.publish.Lakes.TABLE;
import static io.millrace.lake.publish.Lakes.await;
import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static io.millrace.lake.publish.Lakes.rows;
import static io.millrace.lake.publish.Lakes.success;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource.NumberSequenceSplit;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.SimpleVersionedStringSerializer;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.testutils.junit.SharedObjectsExtension;
import org.apache.flink.testutils.junit.SharedReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The lake sink in a job: numbers, spread evenly over four hours of event time, as lines. */
class LakeSinkITCase {
  private static final int HOURS = 4;
  private static final int COUNT = 20_000;
  private static final int LATE = 50;

  /** The numbers of each of the two source readers: the first hours, and the last. */
  private static final int PER_READER = COUNT / 2;

  @RegisterExtension
  private static final MiniClusterExtension CLUSTER =
      new MiniClusterExtension(
          new MiniClusterResourceConfiguration.Builder()
              .setNumberTaskManagers(1)
              .setNumberSlotsPerTaskManager(4)
              .build());

  @RegisterExtension private final SharedObjectsExtension shared = SharedObjectsExtension.create();

  @TempDir private Path folder;
  private Path base;
  private SharedReference<MemoryCatalog> catalog;
  private SharedReference<AtomicInteger> failures;
  private SharedReference<AtomicReference<Gate>> gate;

  @BeforeEach
  void prepare() {
    base = folder.resolve("lake");
    catalog = shared.add(new MemoryCatalog());
    failures = shared.add(new AtomicInteger());
    gate = shared.add(new AtomicReference<>(new Gate(COUNT, () -> true)));
  }

  /** Holds the job in the second hour of its readers until a condition is met. */
  private void holdUntil(BooleanSupplier open) {
    gate.get().set(new Gate(PER_READER * 3 / 4, open));
  }

  /** The hour of a number: the last few belong to the first hour, which is long past then. */
  private static long time(long number, int late) {
    if (number >= COUNT - late) {
      return FIRST.start();
    }
    return FIRST.start() + number * HOURS * Duration.ofHours(1).toMillis() / COUNT;
  }

  private static final class Lines implements BulkWriter.Factory<Long> {
    @Override
    public BulkWriter<Long> create(FSDataOutputStream out) {
      return new BulkWriter<>() {
        @Override
        public void addElement(Long number) throws IOException {
          out.write((number + "\n").getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public void flush() throws IOException {
          out.flush();
        }

        @Override
        public void finish() throws IOException {
          flush();
        }
      };
    }
  }

  private record ByHour(int late) implements BucketAssigner<Long, String> {
    @Override
    public String getBucketId(Long number, Context context) {
      return TimePartition.hour(time(number, late)).path();
    }

    @Override
    public SimpleVersionedSerializer<String> getSerializer() {
      return SimpleVersionedStringSerializer.INSTANCE;
    }
  }

  /** How far each source reader runs on its own, and what it waits for before it goes on. */
  private record Gate(int free, BooleanSupplier open) {}

  /** Never blocks a checkpoint: while the gate is shut, each one lets a single record through. */
  private record GatedSource(SharedReference<AtomicReference<Gate>> gate)
      implements RateLimiterStrategy<NumberSequenceSplit> {
    @Override
    public RateLimiter<NumberSequenceSplit> createRateLimiter(int parallelism) {
      return new RateLimiter<>() {
        private int emitted;
        private CompletableFuture<Void> waiting;

        @Override
        public CompletionStage<Void> acquire(int records) {
          Gate now = gate.get().get();
          emitted += records;
          if (emitted <= now.free() || now.open().getAsBoolean()) {
            return CompletableFuture.completedFuture(null);
          }
          waiting = new CompletableFuture<>();
          return waiting;
        }

        @Override
        public void notifyCheckpointComplete(long checkpoint) {
          if (waiting != null) {
            waiting.complete(null);
          }
        }
      };
    }
  }

  /** Paces its input, so that checkpoints happen, and fails after some of them. */
  private static final class Pace implements MapFunction<Long, Long>, CheckpointListener {
    private final SharedReference<AtomicInteger> failures;
    private final int wanted;
    private int checkpoints;
    private boolean seen;

    private Pace(SharedReference<AtomicInteger> failures, int wanted) {
      this.failures = failures;
      this.wanted = wanted;
    }

    @Override
    public Long map(Long number) {
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100));
      seen = true;
      if (checkpoints >= 3 && failures.get().getAndUpdate(n -> Math.min(n + 1, wanted)) < wanted) {
        throw new IllegalStateException("a failure between checkpoints");
      }
      return number;
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) {
      if (seen) {
        checkpoints++;
      }
    }
  }

  private StreamExecutionEnvironment job(
      RuntimeExecutionMode mode, int wantedFailures, int late, Duration closeTimeout) {
    return job(mode, wantedFailures, late, closeTimeout, null);
  }

  private StreamExecutionEnvironment job(
      RuntimeExecutionMode mode,
      int wantedFailures,
      int late,
      Duration closeTimeout,
      String savepoint) {
    Configuration conf = new Configuration();
    conf.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
    conf.set(PipelineOptions.GENERIC_TYPES, false);
    conf.set(ExecutionOptions.RUNTIME_MODE, mode);
    conf.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
    conf.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, folder.resolve("ckp").toUri().toString());
    conf.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
    conf.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 5);
    conf.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
    conf.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(50));
    if (savepoint != null) {
      conf.set(StateRecoveryOptions.SAVEPOINT_PATH, savepoint);
    }
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(conf);
    env.setParallelism(2);
    SharedReference<MemoryCatalog> registry = catalog;
    LakeSink<Long> sink =
        LakeSink.builder(TABLE, flink(base), new Lines(), new ByHour(late), LINES)
            .fileSuffix(".txt")
            .catalog(registry::get)
            .publishing(
                // Any row that a watermark has not covered would show as a second generation.
                PublishSettings.completeAfter(Duration.ZERO)
                    .withRetry(Duration.ofMillis(10), Duration.ofMillis(50))
                    .withCloseTimeout(closeTimeout))
            .build();
    if (wantedFailures > 0) {
      // Each attempt stops early enough to leave numbers for those that follow.
      gate.get().set(new Gate(PER_READER / 5, () -> failures.get().get() >= wantedFailures));
    }
    DataGeneratorSource<Long> numbers =
        new DataGeneratorSource<>(number -> number, COUNT, new GatedSource(gate), Types.LONG);
    env.fromSource(numbers, WatermarkStrategy.noWatermarks(), "numbers")
        .uid("numbers")
        .map(new Pace(failures, wantedFailures))
        .returns(Types.LONG)
        .uid("pace")
        .assignTimestampsAndWatermarks(
            WatermarkStrategy.<Long>forMonotonousTimestamps()
                .withTimestampAssigner((number, before) -> time(number, late)))
        .uid("event-time")
        .rebalance()
        .sinkTo(sink)
        .uid("numbers-lake")
        .name("numbers-lake");
    return env;
  }

  private void assertEachNumberOnce() throws IOException {
    assertThat(rows(base)).hasSize(COUNT).allSatisfy((n, times) -> assertThat(times).isOne());
  }

  private void assertAllComplete(long generation) {
    long rows = 0;
    for (int i = 0; i < HOURS; i++) {
      SuccessFile success = success(base, hour(i));
      assertThat(success.generation()).isEqualTo(generation);
      assertThat(catalog.get().properties(hour(i))).isEqualTo(success.properties());
      rows += success.rows();
    }
    assertThat(rows).isEqualTo(COUNT);
    assertThat(catalog.get().paths()).hasSize(HOURS);
  }

  @Test
  void everyRowOnceAndNoPartitionCompleteTooEarlyAcrossFailures() throws Exception {
    job(RuntimeExecutionMode.STREAMING, 3, 0, Duration.ofSeconds(30)).execute();

    assertThat(failures.get()).hasValue(3);
    assertEachNumberOnce();
    // A file that came after completion would have raised it.
    assertAllComplete(1);
    assertThat(catalog.get().callers()).containsExactly("publish-numbers");
  }

  @Test
  void partitionsCompleteWhileTheJobRuns() throws Exception {
    holdUntil(() -> isMarked(0));
    JobClient running =
        job(RuntimeExecutionMode.STREAMING, 0, 0, Duration.ofSeconds(30)).executeAsync();
    running.getJobExecutionResult().get(60, TimeUnit.SECONDS);
    assertAllComplete(1);
    // Both halves of the sequence are read at once: no hour of the first half waits for the end.
    assertThat(success(base, hour(0)).watermark()).isLessThan(Long.MAX_VALUE);
  }

  @Test
  void aCatalogThatIsDownHoldsUpNoDataAndIsCaughtUp() throws Exception {
    catalog.get().down(true);
    JobClient running =
        job(RuntimeExecutionMode.STREAMING, 1, 0, Duration.ofSeconds(60)).executeAsync();
    await("all data and all marks", () -> Stream.of(0, 1, 2, 3).allMatch(this::isMarked));
    assertEachNumberOnce();
    assertThat(catalog.get().paths()).isEmpty();

    catalog.get().down(false);
    running.getJobExecutionResult().get(60, TimeUnit.SECONDS);
    assertAllComplete(1);
  }

  private boolean isMarked(int hour) {
    return success(base, hour(hour)) != null;
  }

  @Test
  void theJobEndsWithoutACatalogAndARepairRegisters() throws Exception {
    catalog.get().down(true);
    job(RuntimeExecutionMode.STREAMING, 0, 0, Duration.ofMillis(200)).execute();
    assertEachNumberOnce();
    assertThat(catalog.get().paths()).isEmpty();

    catalog.get().down(false);
    Repair.Report report = new Repair(TABLE, flink(base), base.toString(), catalog.get()).run();
    assertThat(report.added()).hasSize(HOURS);
    assertAllComplete(1);
  }

  @Test
  void aRestartFromASavepointRegistersWhatWasPending() throws Exception {
    holdUntil(() -> false);
    catalog.get().down(true);
    JobClient running =
        job(RuntimeExecutionMode.STREAMING, 0, 0, Duration.ofMillis(1)).executeAsync();
    await("a failed registration", () -> catalog.get().calls() > 2);
    String savepoint =
        running
            .stopWithSavepoint(
                false, folder.resolve("sp").toUri().toString(), SavepointFormatType.CANONICAL)
            .get(60, TimeUnit.SECONDS);
    assertThat(catalog.get().paths()).isEmpty();
    assertThat(rows(base)).isNotEmpty().hasSizeLessThan(COUNT);

    catalog.get().down(false);
    gate.get().set(new Gate(COUNT, () -> true));
    job(RuntimeExecutionMode.STREAMING, 0, 0, Duration.ofSeconds(30), savepoint).execute();
    assertEachNumberOnce();
    assertAllComplete(1);
  }

  @Test
  void lateFilesRaiseTheGeneration() throws Exception {
    holdUntil(() -> isMarked(0));
    job(RuntimeExecutionMode.STREAMING, 0, LATE, Duration.ofSeconds(30)).execute();
    assertEachNumberOnce();
    assertThat(success(base, hour(0)).generation()).isGreaterThan(1);

    assertThat(success(base, hour(0)).rows()).isEqualTo(COUNT / HOURS + LATE);
    assertThat(catalog.get().properties(hour(0))).isEqualTo(success(base, hour(0)).properties());
    assertThat(success(base, hour(1)).generation()).isEqualTo(1);
  }

  @Test
  void aPartitionThatOnlyTheLastCheckpointHoldsIsPublished() throws Exception {
    // No checkpoint but the final one: all committables come after the end of data.
    StreamExecutionEnvironment env =
        job(RuntimeExecutionMode.STREAMING, 0, 0, Duration.ofSeconds(30));
    env.enableCheckpointing(Duration.ofMinutes(5).toMillis());
    env.execute();
    assertEachNumberOnce();
    assertAllComplete(1);
    assertThat(success(base, hour(0)).watermark()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void batchCompletesAtTheEnd() throws Exception {
    job(RuntimeExecutionMode.BATCH, 0, 0, Duration.ofSeconds(30)).execute();
    assertEachNumberOnce();
    assertAllComplete(1);
    assertThat(success(base, hour(0)).watermark()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void everyOperatorHasAUidOfTheSink() {
    Collection<StreamNode> nodes =
        job(RuntimeExecutionMode.STREAMING, 0, 0, Duration.ofSeconds(1))
            .getStreamGraph()
            .getStreamNodes();
    assertThat(nodes)
        .extracting(StreamNode::getTransformationUID)
        .containsExactlyInAnyOrder(
            "numbers",
            "pace",
            "event-time",
            "numbers-lake",
            "numbers-lake: announce-commits",
            "Sink Committer: numbers-lake",
            "numbers-lake: report-commits",
            "numbers-lake: publish-partitions");
    assertThat(nodes)
        .filteredOn(node -> node.getTransformationUID().endsWith("publish-partitions"))
        .singleElement()
        .satisfies(
            node -> {
              assertThat(node.getParallelism()).isOne();
              assertThat(node.getMaxParallelism()).isOne();
            });
  }
}
