package io.millrace.local;

import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import io.millrace.datagen.Truth.Counts;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.Report.Answer;
import io.millrace.local.Report.Verdict;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The whole way of simulated events, from a broker to SQL, on real servers; see {@code --help}. */
@Command(
    name = "scripts/demo",
    mixinStandardHelpOptions = true,
    description = {
      "Starts Kafka, an S3 server, a Hive Metastore and Flink on this machine, sends simulated",
      "events, drains them through the engagement job into a lake, and proves with the ledger that",
      "nothing was lost or doubled. Then answers the questions of sql/queries, and writes them as"
          + " a",
      "page to report.html. Exits with 0 only when ledger and truth agree."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Demo implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofMinutes(30);
  private static final int PARALLELISM = 2;

  /** Rows of an answer that are printed; the report has all. */
  private static final int SHOWN_ROWS = 12;

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Records to send (default: ${DEFAULT-VALUE}).")
  private long events;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "The same seed sends the same bytes (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "A new or empty folder for everything that is written (default: target/demo).")
  private Path out;

  @Option(
      names = "--keep",
      description = "Leave the servers running, for a look around, until Ctrl-C.")
  private boolean keep;

  private final PrintStream print;
  private final Path home;

  Demo(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Path home = Path.of(System.getProperty("millrace.home", "."));
    System.exit(Commands.run(new Demo(print, home), args));
  }

  @Override
  public Integer call() throws Exception {
    if (events <= 0) {
      throw new IllegalArgumentException("--events is " + events + ", but must be at least 1");
    }
    Path folder = prepareFolder();
    print.println("Starting the servers");
    try (Stack stack = Stack.start(folder.resolve("servers"), print)) {
      SimulatedTraffic.createTopics(stack.kafka(), "", PARALLELISM);
      SimulatorOptions options =
          SimulatorOptions.of(events, seed)
              .withMalformed(0.01)
              .withDuplicates(0.01)
              .withLate(0.01)
              .withFuture(0.001);
      Progress sending = new Progress(print, "sent", events);
      Truth truth = SimulatedTraffic.send(stack.kafka(), "", options, sending::at);
      sending.done();

      runJob(stack, truth);
      boolean agrees = show(stack, truth, folder);
      if (keep) {
        print.println("The servers are running. Ctrl-C ends them.");
        new CountDownLatch(1).await();
      }
      return agrees ? 0 : 1;
    }
  }

  private Path prepareFolder() throws IOException {
    if (out == null) {
      Path folder = home.resolve("target/demo").toAbsolutePath().normalize();
      BuildFiles.deleteTree(folder);
      return Files.createDirectories(folder);
    }
    Files.createDirectories(out);
    try (Stream<Path> content = Files.list(out)) {
      if (content.findAny().isPresent()) {
        throw new IllegalArgumentException(
            "--out is '" + out + "', but that folder is not empty; name a new one");
      }
    }
    return out.toAbsolutePath().normalize();
  }

  private void runJob(Stack stack, Truth truth) {
    try (FlinkCluster flink =
        stack.startFlink(1, PARALLELISM, Map.of("execution.checkpointing.interval", "5 s"))) {
      EngagementConfig config =
          EngagementConfig.parse(
              "--kafka.bootstrap-servers",
              stack.kafka().bootstrap(),
              "--kafka.bounded",
              "true",
              "--lake.root",
              "s3://" + Stack.BUCKET,
              "--lake.writer-memory",
              "64 mb",
              "--catalog.kind",
              "hive",
              "--catalog.uri",
              stack.metastore().uri().toString());
      EngagementPorts.verify(config);
      StreamExecutionEnvironment env = flink.environment();
      env.configure(EngagementJob.flinkSettings(config));
      EngagementJob.build(env, config);
      JobID job = flink.submit(env);
      Progress draining = new Progress(print, "drained", truth.total().received());
      Await.until(
          () -> "the job to drain the topics",
          PATIENCE,
          () -> {
            draining.at(
                flink.metrics().sum(job, Metrics.GROUP + "." + Metrics.RECEIVED),
                String.format(
                    ", partitions: %d registered, %d complete",
                    flink.metrics().sum(job, Metrics.PARTITIONS_REGISTERED),
                    flink.metrics().sum(job, Metrics.PARTITIONS_COMPLETE)));
            return flink.status(job).isGloballyTerminalState();
          });
      flink.waitUntilFinished(job, PATIENCE);
      draining.at(truth.total().received());
      draining.done();
    }
  }

  private boolean show(Stack stack, Truth truth, Path folder) throws IOException {
    CatalogSpec spec = CatalogSpec.hive(stack.metastore().uri().toString(), "millrace");
    try (Catalog catalog = spec.open();
        LakeReader lake =
            LakeReader.ofCatalog(
                catalog,
                location -> stack.lake().resolve(location.replaceFirst("^s3a?://[^/]+/", "")))) {
      printLedger(truth, lake);
      Audit audit = Audit.of(truth, lake, "", true, catalog);
      List<Answer> answers = answer(lake);
      Path report = writeReport(folder, lake, answers, audit);
      print.printf(
          "%nReport:    %s%nLake:      %s%nLogs:      %s, %s%n",
          report,
          stack.lake(),
          System.getProperty("millrace.log"),
          folder.resolve("servers").resolve("*/*.log"));
      print.println("Ask more:  scripts/query --lake " + stack.lake() + " 'SELECT ...'");
      List<Audit.Finding> failures = audit.failures();
      for (Audit.Finding f : failures) {
        print.printf("WRONG %s%n  expected %s%n  found    %s%n", f.what(), f.expected(), f.found());
      }
      print.printf(
          Locale.ROOT,
          "%n%s: %,d records sent, %d of %d comparisons of the lake with the truth hold.%n",
          failures.isEmpty() ? "Nothing lost, nothing doubled" : "The lake is wrong",
          truth.total().received(),
          audit.findings().size() - failures.size(),
          audit.findings().size());
      return failures.isEmpty();
    }
  }

  private List<Answer> answer(LakeReader lake) throws IOException {
    List<Answer> answers = new ArrayList<>();
    for (Question question : Question.all(home.resolve("sql/queries"))) {
      Rows rows = lake.query(question.sql());
      answers.add(new Answer(question, rows));
      print.printf("%n%s  (sql/queries/%s.sql)%n", question.text(), question.name());
      int shown = Math.min(rows.rows().size(), SHOWN_ROWS);
      TextTable.print(print, new Rows(rows.columns(), rows.rows().subList(0, shown)));
      if (shown < rows.rows().size()) {
        print.printf("and %d more rows: see the report%n", rows.rows().size() - shown);
      }
    }
    return answers;
  }

  private Path writeReport(Path folder, LakeReader lake, List<Answer> answers, Audit audit)
      throws IOException {
    Map<String, String> about = new LinkedHashMap<>();
    about.put(
        "Input",
        String.format(Locale.ROOT, "%,d simulated records, seed %d, from Kafka", events, seed));
    about.putAll(Report.about(lake, Instant.now()));
    List<Verdict> verdicts = new ArrayList<>(Report.verdicts(lake));
    int held = audit.findings().size() - audit.failures().size();
    verdicts.add(
        new Verdict(
            audit.failures().isEmpty(),
            String.format(
                Locale.ROOT,
                "%,d of %,d comparisons of the lake with what the simulator sent hold.",
                held,
                audit.findings().size())));
    return Files.writeString(
        folder.resolve("report.html"),
        Report.html("How the app was used", about, verdicts, answers));
  }

  private void printLedger(Truth truth, LakeReader lake) {
    print.printf("%nThe ledger beside the truth%n");
    List<List<String>> rows = new ArrayList<>();
    truth
        .byTopic()
        .forEach(
            (topic, expected) -> {
              List<String> found =
                  lake.query(
                          "SELECT coalesce(sum(received), 0), coalesce(sum(accepted), 0),"
                              + " coalesce(sum(rejected), 0), coalesce(sum(duplicates), 0)"
                              + " FROM ledger WHERE topic = '"
                              + topic
                              + "'")
                      .rows()
                      .get(0);
              rows.add(row(topic, "truth", counts(expected)));
              rows.add(row("", "ledger", found));
            });
    TextTable.print(
        print,
        new Rows(List.of("topic", "by", "received", "accepted", "rejected", "duplicates"), rows));
  }

  private static List<String> counts(Counts c) {
    return Stream.of(c.received(), c.accepted(), c.rejected(), c.duplicates())
        .map(String::valueOf)
        .toList();
  }

  private static List<String> row(String topic, String by, List<String> counts) {
    List<String> row = new ArrayList<>(List.of(topic, by));
    row.addAll(counts);
    return row;
  }
}
