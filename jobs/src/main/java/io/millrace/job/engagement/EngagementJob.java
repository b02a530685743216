package io.millrace.job.engagement;

import io.millrace.anomaly.DetectAnomalies;
import io.millrace.config.ConfigException;
import io.millrace.config.OptionDocs;
import io.millrace.enrichment.DimensionTable;
import io.millrace.enrichment.Enrich;
import io.millrace.enrichment.EnrichOnce;
import io.millrace.enrichment.LoadDimension;
import io.millrace.event.Anomaly;
import io.millrace.event.AppEvent;
import io.millrace.event.Cell;
import io.millrace.event.CrossCheck;
import io.millrace.event.DeadLetter;
import io.millrace.event.Event;
import io.millrace.event.LedgerEntry;
import io.millrace.event.LiveRollup;
import io.millrace.event.Observation;
import io.millrace.event.Received;
import io.millrace.event.Rollup;
import io.millrace.event.Session;
import io.millrace.identity.Deduplicate;
import io.millrace.identity.Pseudonymise;
import io.millrace.job.engagement.EngagementConfig.Anomalies;
import io.millrace.job.engagement.EngagementConfig.AnomalyInput;
import io.millrace.job.engagement.EngagementConfig.Rollups;
import io.millrace.job.engagement.EngagementPorts.DimensionSource;
import io.millrace.job.engagement.EngagementPorts.EventSource;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.ledger.CheckSessions;
import io.millrace.ledger.Reconcile;
import io.millrace.rollup.CloseWindow;
import io.millrace.rollup.ObserveRollups;
import io.millrace.rollup.OrderLiveValues;
import io.millrace.rollup.RollUp;
import io.millrace.rollup.RollupSpec;
import io.millrace.rollup.RollupTimes;
import io.millrace.session.Sessionize;
import io.millrace.timeline.SourceWatermarks;
import io.millrace.timeline.TimelineOptions;
import io.millrace.timeline.UserTimeline;
import io.millrace.validation.Admit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Kafka topics (or files) of JSON events to tables of Parquet, with every event accounted for.
 *
 * <pre>
 * topic -- decode, validate --> admit --rejected--> dead letters: topic.dlq and quarantine/
 *                                 |  \--every record--> raw/
 *                                 v
 *              (pseudonymise) (enrich) keyBy(user_id) --> user timeline --> processed/app_events
 *                                                           |   |
 *                                                           |   \--> processed/sessions, topic
 *                                    keyBy(cell) roll-up <--/
 *                                         |    \--> live topic, live table
 *                                         \--> close-window --> aggregated/ hourly, daily
 *                                                   \--> detect-anomalies --> anomalies, topic
 *
 *  counts of admit and timeline --> reconcile --> quality/ledger
 *  balance of sessions, sums of windows --> quality/cross_checks
 * </pre>
 */
public final class EngagementJob {
  private static final String USAGE = "EngagementJob [--config FILE] [--KEY VALUE ...]";

  private static final long HOUR_MS = 3_600_000L;

  private EngagementJob() {}

  /** Submits the job; see {@code --help}. */
  public static void main(String[] args) throws Exception {
    if (OptionDocs.helpWanted(args)) {
      System.out.print(OptionDocs.help(USAGE, EngagementOptions.OPTIONS));
      return;
    }
    EngagementConfig config;
    StreamExecutionEnvironment env;
    try {
      config = EngagementConfig.parse(args);
      env = StreamExecutionEnvironment.getExecutionEnvironment(flinkSettings(config));
      requireCheckpoints(env, config);
      EngagementPorts.verify(config);
      build(env, config);
    } catch (ConfigException e) {
      System.err.println(e.getMessage());
      throw e;
    }
    env.execute(config.jobName());
  }

  /**
   * Without checkpoints nothing that is written ever becomes visible, and with too rare ones not
   * what is in transactions.
   */
  static void requireCheckpoints(StreamExecutionEnvironment env, EngagementConfig config) {
    if (!config.isBatch() && env.getCheckpointInterval() <= 0) {
      throw new IllegalStateException(
          "execution.checkpointing.interval is not set: without checkpoints no file is committed");
    }
    if (!config.isBatch()) {
      EngagementPorts.requireTransactionsOutlive(
          config,
          Duration.ofMillis(env.getCheckpointInterval()),
          Duration.ofMillis(env.getCheckpointConfig().getCheckpointTimeout()));
    }
  }

  /** What the job needs of Flink, whatever cluster runs it. */
  public static Configuration flinkSettings(EngagementConfig config) {
    Configuration flink = new Configuration();
    flink.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
    flink.set(PipelineOptions.GENERIC_TYPES, false);
    flink.set(PipelineOptions.OBJECT_REUSE, true);
    // The ledger and the publishing of partitions rely on counts and rows of one checkpoint.
    flink.set(CheckpointingOptions.ENABLE_UNALIGNED, false);
    flink.set(PipelineOptions.MAX_PARALLELISM, config.maxParallelism());
    flink.set(
        ExecutionOptions.RUNTIME_MODE,
        config.isBatch() ? RuntimeExecutionMode.BATCH : RuntimeExecutionMode.STREAMING);
    return flink;
  }

  /** Connects and wires the job into an environment that has {@link #flinkSettings}. */
  public static void build(StreamExecutionEnvironment env, EngagementConfig config) {
    RunInfo run = RunInfo.of(config);
    wire(env, EngagementPorts.connect(config, run), config, run);
  }

  static void wire(
      StreamExecutionEnvironment env, EngagementPorts ports, EngagementConfig config, RunInfo run) {
    WatermarkStrategy<Received> watermarks =
        config.isBatch()
            ? SourceWatermarks.atTheEndOnly()
            : new SourceWatermarks(
                config.time().outOfOrderness(), config.time().idleness(), config.time().maxDrift());
    List<SingleOutputStreamOperator<Event>> topics = new ArrayList<>();
    for (EventSource topic : ports.events()) {
      topics.add(
          env.fromSource(topic.source(), watermarks, "source-" + topic.name())
              .uid("source-" + topic.name())
              .transform(
                  "admit-" + topic.name(),
                  TypeInformation.of(Event.class),
                  new Admit(ports.raw() != null, run.version(), run.id(), config.mode())
                      .correlatedBy(config.input().correlationHeader()))
              .uid("admit-" + topic.name()));
    }

    DataStream<Event> admitted = withErasures(env, union(topics), ports.erasures());
    DataStream<Event> named = pseudonymise(admitted, config);
    DataStream<Event> enriched = enrich(env, named, ports.dimension());
    SingleOutputStreamOperator<AppEvent> accepted =
        enriched
            .keyBy(Event::userId)
            .transform(
                "user-timeline",
                TypeInformation.of(AppEvent.class),
                new UserTimeline(timeline(config, run)))
            .uid("user-timeline");
    byHour(accepted, config, event -> event.event().timestamp())
        .sinkTo(ports.appEvents())
        .uid("app-events")
        .name("app-events");

    if (ports.raw() != null) {
      DataStream<Received> raw =
          union(topics.stream().map(t -> t.getSideOutput(Admit.RAW)).toList());
      byHour(raw, config, Received::ledgerTime).sinkTo(ports.raw()).uid("raw").name("raw");
    }

    DataStream<DeadLetter> rejected =
        union(topics.stream().map(t -> t.getSideOutput(Admit.DEAD_LETTERS)).toList());
    byHour(rejected, config, DeadLetter::ledgerTime)
        .sinkTo(ports.quarantine())
        .uid("quarantine")
        .name("quarantine");
    if (ports.deadLetterTopics() != null) {
      rejected
          .sinkTo(ports.deadLetterTopics())
          .uid("dead-letter-topics")
          .name("dead-letter-topics");
    }

    DataStream<LedgerEntry> counts =
        union(topics.stream().map(t -> t.getSideOutput(Admit.LEDGER)).toList())
            .union(accepted.getSideOutput(UserTimeline.LEDGER));
    counts
        .transform("reconcile", TypeInformation.of(LedgerEntry.class), new Reconcile())
        .uid("reconcile")
        .setParallelism(1)
        .sinkTo(ports.ledger())
        .uid("ledger")
        .name("ledger")
        .setParallelism(1);

    List<DataStream<CrossCheck>> checks = new ArrayList<>();
    if (config.sessions().enabled()) {
      checks.add(sessions(accepted, ports, config, run));
    }
    if (config.rollups().enabled()) {
      checks.add(rollups(accepted, ports, config, run));
    }
    if (!checks.isEmpty()) {
      union(checks)
          .sinkTo(ports.crossChecks())
          .uid("cross-checks")
          .name("cross-checks")
          .setParallelism(1);
    }
  }

  /** Words to forget a user are told by no time, and hold no watermark back. */
  private static DataStream<Event> withErasures(
      StreamExecutionEnvironment env,
      DataStream<Event> events,
      @Nullable Source<Event, ?, ?> erasures) {
    if (erasures == null) {
      return events;
    }
    WatermarkStrategy<Event> idle =
        WatermarkStrategy.<Event>noWatermarks().withIdleness(Duration.ofSeconds(1));
    return events.union(
        env.fromSource(erasures, idle, "source-erasures").uid("source-erasures").setParallelism(1));
  }

  private static TimelineOptions timeline(EngagementConfig config, RunInfo run) {
    return new TimelineOptions(
        config.time().allowedLateness(),
        new Deduplicate(config.users().dedupTtl()),
        config.sessions().enabled() ? new Sessionize(config.sessions().rules()) : null,
        config.rollups().enabled() ? config.rollups().spec() : null,
        judgesEarly(config) ? config.time().allowedLateness() : config.finalAfter(),
        config.rollups().liveInterval(),
        config.users().cacheUsers(),
        config.users().cacheSize().getBytes(),
        run.id(),
        config.isBatch());
  }

  /** Whether anomalies are looked for before the rows are final. */
  private static boolean judgesEarly(EngagementConfig config) {
    return config.anomalies().enabled() && config.anomalies().input() == AnomalyInput.LIVE;
  }

  /** Closed sessions to their table and topic, and their events held against the accepted ones. */
  private static DataStream<CrossCheck> sessions(
      SingleOutputStreamOperator<AppEvent> timeline,
      EngagementPorts ports,
      EngagementConfig config,
      RunInfo run) {
    DataStream<Session> sessions = timeline.getSideOutput(UserTimeline.SESSIONS);
    byHour(sessions, config, Session::end)
        .sinkTo(ports.sessions())
        .uid("sessions")
        .name("sessions");
    if (ports.sessionTopic() != null) {
      sessions.sinkTo(ports.sessionTopic()).uid("session-topic").name("session-topic");
    }
    return timeline
        .getSideOutput(UserTimeline.BALANCE)
        .transform(
            "check-sessions",
            TypeInformation.of(CrossCheck.class),
            new CheckSessions(run.id(), config.mode()))
        .uid("check-sessions")
        .setParallelism(1);
  }

  /** Parts of cells to final rows in two tables, and to live ones. */
  private static DataStream<CrossCheck> rollups(
      SingleOutputStreamOperator<AppEvent> timeline,
      EngagementPorts ports,
      EngagementConfig config,
      RunInfo run) {
    Rollups options = config.rollups();
    boolean early = judgesEarly(config);
    RollupTimes times =
        new RollupTimes(
            config.finalAfter(),
            early ? config.time().allowedLateness() : null,
            options.isLive() ? options.liveInterval() : Duration.ZERO,
            options.liveRetention());
    SingleOutputStreamOperator<Rollup> rolledUp =
        timeline
            .getSideOutput(UserTimeline.CELLS)
            .keyBy(Rollup::cell, TypeInformation.of(Cell.class))
            .transform(
                "roll-up", TypeInformation.of(Rollup.class), new RollUp(options.spec(), times))
            .uid("roll-up");
    SingleOutputStreamOperator<Rollup> rows =
        rolledUp
            .keyBy(CloseWindow::windowOf, Types.LONG)
            .process(
                new CloseWindow(options.spec(), options.maxCells(), times, run.id(), config.mode()),
                TypeInformation.of(Rollup.class))
            .uid("close-window")
            .name("close-window");
    byHour(
            rows.filter(row -> !row.cell().daily()).uid("hourly-rows").name("hourly-rows"),
            config,
            row -> row.cell().start())
        .sinkTo(ports.hourly())
        .uid("hourly-aggregates")
        .name("hourly-aggregates");
    byHour(
            rows.filter(row -> row.cell().daily()).uid("daily-rows").name("daily-rows"),
            config,
            row -> row.cell().start())
        .sinkTo(ports.daily())
        .uid("daily-aggregates")
        .name("daily-aggregates");
    if (options.isLive()) {
      live(rolledUp, rows, times, ports);
    }
    if (config.anomalies().enabled()) {
      anomalies(early ? rolledUp.getSideOutput(RollUp.EARLY) : rows, ports, config);
    }
    return rows.getSideOutput(CloseWindow.CHECKS);
  }

  /** Present and final values of cells to a topic and a table. */
  private static void live(
      SingleOutputStreamOperator<Rollup> rolledUp,
      SingleOutputStreamOperator<Rollup> rows,
      RollupTimes times,
      EngagementPorts ports) {
    DataStream<LiveRollup> values =
        rolledUp
            .getSideOutput(RollUp.LIVE)
            .union(rows.getSideOutput(CloseWindow.LIVE))
            // One subtask tells all values of a cell, in order; that needs no keyed state.
            .partitionCustom(
                (cell, subtasks) -> Math.floorMod(cell, subtasks),
                value -> value.rollup().cell().hashCode())
            .transform(
                "order-live", TypeInformation.of(LiveRollup.class), new OrderLiveValues(times))
            .uid("order-live");
    if (ports.liveTopic() != null) {
      values.sinkTo(ports.liveTopic()).uid("live-topic").name("live-topic");
    }
    if (ports.liveTable() != null) {
      values.sinkTo(ports.liveTable()).uid("live-table").name("live-table");
    }
  }

  /** Rows of hours to alerts. */
  private static void anomalies(
      DataStream<Rollup> rows, EngagementPorts ports, EngagementConfig config) {
    Anomalies options = config.anomalies();
    RollupSpec spec = config.rollups().spec();
    DataStream<Anomaly> anomalies =
        rows.flatMap(new ObserveRollups(spec, options.metrics(), options.cells()))
            .returns(TypeInformation.of(Observation.class))
            .uid("observe-rollups")
            .name("observe-rollups")
            .keyBy(Observation::series)
            .process(
                new DetectAnomalies(
                    AnomalyOptions.rules(
                        options,
                        judgesEarly(config)
                            ? config.time().allowedLateness()
                            : config.finalAfter())),
                TypeInformation.of(Anomaly.class))
            .uid("detect-anomalies")
            .name("detect-anomalies");
    byHour(anomalies, config, Anomaly::windowStart)
        .sinkTo(ports.anomalies())
        .uid("anomalies")
        .name("anomalies");
    if (ports.anomalyTopic() != null) {
      anomalies.sinkTo(ports.anomalyTopic()).uid("anomaly-topic").name("anomaly-topic");
    }
  }

  private static DataStream<Event> pseudonymise(DataStream<Event> events, EngagementConfig config) {
    if (config.users().pseudonymKey() == null) {
      return events;
    }
    return events
        .map(new Pseudonymise(config.users().pseudonymKey()::resolve))
        .uid("pseudonymise")
        .name("pseudonymise");
  }

  private static DataStream<Event> enrich(
      StreamExecutionEnvironment env, DataStream<Event> events, DimensionSource dimension) {
    if (dimension == null) {
      return events;
    }
    if (dimension.ticks() == null) {
      return events.map(new EnrichOnce(dimension.reader())).uid("enrich-once").name("enrich-once");
    }
    SingleOutputStreamOperator<DimensionTable> versions =
        env.fromSource(
                dimension.ticks(), WatermarkStrategy.noWatermarks(), "dimension-ticks", Types.LONG)
            .uid("dimension-ticks")
            .setParallelism(1)
            .transform(
                "load-dimension",
                TypeInformation.of(DimensionTable.class),
                new LoadDimension(dimension.reader()))
            .uid("load-dimension")
            .setParallelism(1);
    return events
        .connect(versions.broadcast(Enrich.DIMENSION))
        .process(new Enrich())
        .returns(TypeInformation.of(Event.class))
        .uid("enrich")
        .name("enrich");
  }

  /** In bounded mode an hour goes to one subtask, so that few files are open at a time. */
  private static <T> DataStream<T> byHour(
      DataStream<T> rows, EngagementConfig config, KeySelector<T, Long> time) {
    if (!config.isBatch()) {
      return rows;
    }
    return rows.partitionCustom(
        (start, subtasks) -> Math.floorMod(Long.hashCode(start / HOUR_MS), subtasks),
        new HourOf<>(time));
  }

  /** The hour of a row, as a key whose type Flink can see. */
  private record HourOf<T>(KeySelector<T, Long> time)
      implements KeySelector<T, Long>, ResultTypeQueryable<Long> {
    @Override
    public Long getKey(T row) throws Exception {
      return TimePartition.hour(time.getKey(row)).start();
    }

    @Override
    public TypeInformation<Long> getProducedType() {
      return Types.LONG;
    }
  }

  private static <T> DataStream<T> union(List<? extends DataStream<T>> streams) {
    DataStream<T> all = streams.get(0);
    for (DataStream<T> next : streams.subList(1, streams.size())) {
      all = all.union(next);
    }
    return all;
  }
}
