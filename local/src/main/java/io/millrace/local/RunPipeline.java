package io.millrace.local;

import io.millrace.pipeline.EmbeddedCluster;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineEnvironments;
import io.millrace.pipeline.PipelineEnvironments.State;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineRunner;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.RunReport;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.TimeUtils;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a pipeline as one Flink job. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a pipeline as one Flink job, in this process unless --target names a cluster."
          + " Nothing",
      "is run when there is any error. What files are loaded appear when all is there.",
      "A pipeline that reads without end runs until this process is told to end (SIGINT or"
          + " SIGTERM)",
      "and leaves a savepoint; on a cluster it is submitted and runs on."
    },
    sortOptions = false)
final class RunPipeline implements Callable<Integer> {
  private static final int GATE_FAILED = 3;
  private static final Pattern TARGET = Pattern.compile("([A-Za-z0-9._-]+):([0-9]{1,5})");
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** What Flink answers until a leader is elected. */
  private static final int STARTING = 503;

  private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(100);

  /** How long the end of the process waits for a savepoint. */
  private static final Duration STOPPING = Duration.ofMinutes(2);

  private final AtomicBoolean stopping = new AtomicBoolean();

  @Mixin private PipelineCommand.Input input;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Where to write the run's report, as JSON.")
  @Nullable
  private Path report;

  @Option(
      names = "--target",
      paramLabel = "HOST:PORT",
      description = {
        "The REST address of a Flink cluster that sees the data root under the same path."
      })
  @Nullable
  private String target;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      description = "How many tasks of each kind run at once (default: one per processor).")
  private int parallelism = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = {
        "Where checkpoints and savepoints of an unbounded pipeline go, a folder or URI (default:",
        "DATA_ROOT/NAME/state, or with --target what the cluster has)."
      })
  @Nullable
  private String state;

  @Option(
      names = "--from",
      paramLabel = "SAVEPOINT",
      description = "The savepoint or checkpoint that an unbounded pipeline goes on from.")
  @Nullable
  private String from;

  @Option(
      names = "--checkpoint-interval",
      paramLabel = "DURATION",
      defaultValue = "10 s",
      description = {
        "How often an unbounded pipeline takes a checkpoint, with which it commits what it"
            + " writes",
        "(default: 10 s)."
      })
  private String interval;

  private final PrintStream print;
  private final Catalog catalog;
  private final Path home;

  RunPipeline(PrintStream print, Catalog catalog, Path home) {
    this.print = print;
    this.catalog = catalog;
    this.home = home;
  }

  @Override
  public Integer call() throws Exception {
    if (parallelism < 1) {
      throw new IllegalArgumentException(
          "--parallelism is " + parallelism + ", but must be at least 1");
    }
    PipelineFile file = input.read();
    DataRoot files = input.files();
    Matcher address = target == null ? null : address(target);
    Validation validation = PipelineValidator.validate(file, catalog);
    if (!validation.isValid()) {
      input.tell(print, PipelineCheck.check(file, catalog, files));
      return PipelineCommand.INVALID;
    }
    Duration checkpoints = checkpointInterval();
    if (validation.bounded() && from != null) {
      throw new IllegalArgumentException(
          "--from is '" + from + "', but is for pipelines that read without end");
    }
    if (address != null) {
      Path jar = clusterJar();
      requireCluster();
      StreamExecutionEnvironment cluster =
          PipelineEnvironments.remote(
              address.group(1),
              Integer.parseInt(address.group(2)),
              parallelism,
              validation.bounded(),
              jar.toString());
      if (validation.bounded()) {
        return run(file, validation, files, cluster);
      }
      PipelineEnvironments.keep(cluster, new State(uri(state), checkpoints, uri(from)));
      return submit(file, validation, files, cluster);
    }
    try (EmbeddedCluster cluster = EmbeddedCluster.start(parallelism)) {
      StreamExecutionEnvironment here = cluster.environment(validation.bounded());
      if (validation.bounded()) {
        return run(file, validation, files, here);
      }
      String folder =
          state == null ? State.below(files, file.pipeline().name()).folder() : uri(state);
      PipelineEnvironments.keep(here, new State(folder, checkpoints, uri(from)));
      PipelineEnvironments.keepOnDisk(here);
      return runUntilStopped(file, validation, files, here);
    }
  }

  /** A path of this machine as a URI; a URI as it is. */
  @Nullable
  private static String uri(@Nullable String location) {
    return location == null || location.matches("[a-zA-Z][a-zA-Z0-9+.-]+:.*")
        ? location
        : Path.of(location).toAbsolutePath().toUri().toString();
  }

  private Duration checkpointInterval() {
    Duration duration;
    try {
      duration = TimeUtils.parseDuration(interval);
    } catch (IllegalArgumentException e) {
      duration = Duration.ZERO;
    }
    if (duration.toMillis() < SHORTEST_INTERVAL.toMillis()) {
      throw new IllegalArgumentException(
          "--checkpoint-interval is '" + interval + "', but must be at least 100 ms, as in 10 s");
    }
    return duration;
  }

  /** Runs in this process until the process is told to end; then with a savepoint. */
  private int runUntilStopped(
      PipelineFile file,
      Validation validation,
      DataRoot files,
      StreamExecutionEnvironment environment)
      throws IOException {
    CountDownLatch ended = new CountDownLatch(1);
    Thread stopped =
        new Thread(
            () -> {
              stopping.set(true);
              try {
                if (!ended.await(STOPPING.toSeconds(), TimeUnit.SECONDS)) {
                  print.println("It did not stop in time; it can go on from its last checkpoint");
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "stop-pipeline");
    Runtime.getRuntime().addShutdownHook(stopped);
    try {
      return run(file, validation, files, environment);
    } finally {
      ended.countDown();
      if (!stopping.get()) {
        Runtime.getRuntime().removeShutdownHook(stopped);
      }
    }
  }

  /** Leaves an unbounded pipeline to its cluster. */
  private int submit(
      PipelineFile file,
      Validation validation,
      DataRoot files,
      StreamExecutionEnvironment environment)
      throws Exception {
    Compilation compilation = PipelineCheck.compile(file, validation, catalog, environment, files);
    if (!input.tell(print, compilation.problems())) {
      return PipelineCommand.INVALID;
    }
    print.printf(
        "%s runs on %s as job %s%n",
        file.pipeline().name(), target, PipelineRunner.submit(compilation));
    return CommandLine.ExitCode.OK;
  }

  private int run(
      PipelineFile file,
      Validation validation,
      DataRoot files,
      StreamExecutionEnvironment environment)
      throws IOException {
    Compilation compilation = PipelineCheck.compile(file, validation, catalog, environment, files);
    if (!input.tell(print, compilation.problems())) {
      return PipelineCommand.INVALID;
    }
    RunReport done = PipelineRunner.run(compilation, new Told(print), stopping::get);
    PipelineReport.print(print, done);
    if (report != null) {
      Path folder = report.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.writeString(report, done.toJson() + "\n");
    }
    if (done.error() != null) {
      print.println(done.error());
    }
    return switch (done.status()) {
      case COMPLETED, STOPPED -> CommandLine.ExitCode.OK;
      case QUALITY_FAILED -> GATE_FAILED;
      case FAILED -> 1;
    };
  }

  private static Matcher address(String target) {
    Matcher matcher = TARGET.matcher(target);
    if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > 65535) {
      throw new IllegalArgumentException(
          "--target is '" + target + "', but must be HOST:PORT, as localhost:8081");
    }
    return matcher;
  }

  /** Finds out at once that there is no cluster, for which the job's client would wait minutes. */
  private void requireCluster() throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + target + "/config"))
            .timeout(PATIENCE)
            .build();
    try {
      HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
      AtomicReference<HttpResponse<String>> last =
          new AtomicReference<>(client.send(request, HttpResponse.BodyHandlers.ofString()));
      if (last.get().statusCode() == STARTING) {
        Await.until(
            "the Flink cluster at '" + target + "' to have a leader",
            PATIENCE,
            () -> {
              last.set(client.send(request, HttpResponse.BodyHandlers.ofString()));
              return last.get().statusCode() != STARTING;
            });
      }
      HttpResponse<String> answer = last.get();
      if (answer.statusCode() != 200 || !answer.body().contains("flink-version")) {
        throw new IOException("what answers at '" + target + "' is no Flink cluster");
      }
    } catch (ConnectException | HttpTimeoutException e) {
      throw new IOException("no Flink cluster answers at '" + target + "'", e);
    }
  }

  /** What a cluster needs besides Flink. */
  private Path clusterJar() {
    Path folder = home.resolve("jobs/target");
    try (Stream<Path> jars = Files.isDirectory(folder) ? Files.list(folder) : Stream.empty()) {
      return jars.filter(jar -> jar.getFileName().toString().endsWith("-cluster.jar"))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalArgumentException(
                      "there is no jar for the cluster in '"
                          + folder
                          + "'; build it with mvn -q -DskipTests package"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Prints how far each step is: once a second while it counts, and when it is done. */
  private static final class Told implements PipelineRunner.Progress {
    private static final long EVERY_NANOS = 1_000_000_000L;

    private record Line(long rows, boolean done, long nanos) {}

    private final PrintStream print;
    private final Map<String, Line> shown = new HashMap<>();

    Told(PrintStream print) {
      this.print = print;
    }

    @Override
    public void counted(String stepId, long rows, boolean done) {
      long now = System.nanoTime();
      Line last = shown.get(stepId);
      boolean due = last == null || (rows > last.rows() && now - last.nanos() >= EVERY_NANOS);
      boolean ends = done && (last == null || !last.done());
      if (ends || (due && !done)) {
        shown.put(stepId, new Line(rows, done, now));
        print.printf(Locale.ROOT, "%-20s %,12d rows%s%n", stepId, rows, done ? ", done" : "");
      }
    }
  }
}
