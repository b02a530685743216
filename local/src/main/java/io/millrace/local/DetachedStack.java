package io.millrace.local;

import io.millrace.local.StackState.Part;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Millrace's servers as processes that stand on their own: Kafka, S3, Hive Metastore, ZooKeeper, a
 * JobManager and two TaskManagers, and Prometheus and Alertmanager where they are installed.
 *
 * <p>One stack lives in a folder, which tells any JVM where it is. Its data and its ports stay when
 * it goes down, so that it goes on from there when it comes up again, with the jobs that ran.
 */
public final class DetachedStack {
  /** Where {@code scripts/up} has it. */
  public static final String FOLDER = "target/stack";

  /** The lowest port, unless told otherwise. */
  public static final int PORT_BASE = 19_000;

  /** The bucket of checkpoints, savepoints and what a JobManager remembers. */
  private static final String FLINK_BUCKET = "flink";

  private static final int TASK_MANAGERS = 2;
  private static final int PARTITIONS = 4;
  private static final long REPORT_SECONDS = 5;

  private static final Duration PORT_PATIENCE = Duration.ofSeconds(10);

  /** How long what runs already may take to answer; then it is started again. */
  private static final Duration ANSWER_PATIENCE = Duration.ofSeconds(60);

  /** Ports of each part, counted from the base; more than a part takes do no harm. */
  private static final Map<String, List<Integer>> OFFSETS =
      Map.of(
          "kafka", List.of(0, 1),
          "s3", List.of(2),
          "metastore", List.of(3),
          "zookeeper", List.of(4),
          "jobmanager", List.of(6, 5),
          "taskmanager-1", List.of(7),
          "taskmanager-2", List.of(8),
          "prometheus", List.of(9),
          "alertmanager", List.of(10));

  private final Path folder;
  private final Map<String, String> moreFlink;
  private final StackState state;
  private final Map<String, ServerProcess> parts = new LinkedHashMap<>();
  private final KafkaBroker kafka;
  private final S3Server s3;
  private final Metastore metastore;
  private final ZooKeeper zookeeper;
  private final FlinkProcess jobManager;
  private final List<FlinkProcess> taskManagers = new ArrayList<>();

  /**
   * What is known of a part at the moment.
   *
   * @param trouble why it is not healthy; empty when it is
   */
  public record Health(String part, String address, long pid, String trouble) {
    public boolean isHealthy() {
      return trouble.isEmpty();
    }
  }

  /**
   * Whatever a folder's stack has left behind.
   *
   * @param moreFlink Flink's keys, which win over those of `flink-conf`
   */
  private DetachedStack(Path where, Map<String, String> moreFlink) {
    this.moreFlink = moreFlink;
    folder = where.toAbsolutePath().normalize();
    state = StackState.read(folder);
    kafka = part(KafkaBroker.in(folder.resolve("kafka")));
    s3 = part(S3Server.in(folder.resolve("s3")));
    // The order of S3 before the metastore is also that of their ports: the latter is told the
    // former.
    metastore =
        part(
            Metastore.in(
                folder.resolve("metastore"), s3::endpoint, s3.accessKey(), s3.secretKey()));
    zookeeper = part(ZooKeeper.in(folder.resolve("zookeeper")));
    jobManager = part(FlinkProcess.jobManager(folder.resolve("jobmanager"), this::flinkSettings));
    for (int i = 1; i <= TASK_MANAGERS; i++) {
      String name = "taskmanager-" + i;
      taskManagers.add(
          part(
              FlinkProcess.taskManager(
                  name, folder.resolve(name), this::flinkSettings, this::flink)));
    }
    for (String name : List.of("alertmanager", "prometheus")) {
      MonitoringProcess.find(name, folder.resolve(name), this::scrapeTargets).ifPresent(this::part);
    }
  }

  private <T extends ServerProcess> T part(T server) {
    Part known = state.parts().get(server.name());
    if (known != null) {
      server.attach(known.pid(), known.ports());
    }
    parts.put(server.name(), server);
    return server;
  }

  /**
   * The stack in a folder, at least a part of which runs.
   *
   * @throws CommandFailure when nothing of it runs
   */
  public static DetachedStack running(Path folder) {
    DetachedStack stack = new DetachedStack(folder, Map.of());
    if (stack.parts.values().stream().noneMatch(ServerProcess::isRunning)) {
      throw new CommandFailure("no stack is up in " + stack.folder + "; scripts/up starts one");
    }
    return stack;
  }

  /**
   * Starts what does not run, and returns when all of it answers.
   *
   * @param portBase the lowest of its ports; one that is taken is replaced by a free one
   */
  public static DetachedStack up(Path folder, int portBase, PrintStream print) {
    return up(folder, portBase, Map.of(), print);
  }

  /**
   * The same.
   *
   * @param portBase 0 for free ports
   * @param moreFlink Flink's keys, which win over those of `flink-conf`; the state does not keep
   *     them
   */
  static DetachedStack up(
      Path folder, int portBase, Map<String, String> moreFlink, PrintStream print) {
    return locked(
        folder,
        () -> {
          DetachedStack stack = new DetachedStack(folder, moreFlink);
          stack.start(portBase, print);
          return stack;
        });
  }

  /**
   * Stops what runs, and nothing else.
   *
   * @param delete whether its data goes, too
   * @return whether anything ran
   */
  public static boolean down(Path folder, boolean delete, PrintStream print) {
    return locked(
        folder,
        () -> {
          DetachedStack stack = new DetachedStack(folder, Map.of());
          boolean ran = stack.stop(print);
          if (delete) {
            BuildFiles.deleteTree(stack.folder);
          }
          return ran;
        });
  }

  /** One command at a time starts or stops. */
  private static <T> T locked(Path folder, Supplier<T> work) {
    Path file = folder.toAbsolutePath().normalize().resolveSibling(folder.getFileName() + ".lock");
    try {
      Files.createDirectories(file.getParent());
      try (FileChannel channel =
              FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = channel.tryLock()) {
        if (lock == null) {
          throw new CommandFailure("another scripts/up or scripts/down is at work on " + folder);
        }
        return work.get();
      }
    } catch (OverlappingFileLockException e) {
      throw new CommandFailure("another thread is at work on " + folder, e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot lock " + file, e);
    }
  }

  public KafkaBroker kafka() {
    return kafka;
  }

  public S3Server s3() {
    return s3;
  }

  public Metastore metastore() {
    return metastore;
  }

  /** Starts a part that has died again, on its data and ports; returns when it answers. */
  void revive(String part, PrintStream print) {
    startPart(server(part), 0, print, new ArrayList<>());
  }

  /** A server by its name, as {@link #health} has it. */
  public ServerProcess server(String name) {
    ServerProcess server = parts.get(name);
    if (server == null) {
      throw new IllegalArgumentException("no server '" + name + "', there are " + parts.keySet());
    }
    return server;
  }

  /** The REST interface of its Flink. */
  FlinkRest flink() {
    return jobManager.rest();
  }

  /** The servers by name, and the ports that they have above a base. */
  static Map<String, List<Integer>> ports(int portBase) {
    Map<String, List<Integer>> ports = new LinkedHashMap<>();
    OFFSETS.forEach(
        (name, offsets) ->
            ports.put(name, offsets.stream().map(offset -> portBase + offset).toList()));
    return ports;
  }

  /** Everything that it knows and remembers. */
  public Path folder() {
    return folder;
  }

  /** The folder of the bucket `lake` on the disk: see {@link S3Server#folder}. */
  public Path lake() {
    return s3.folder(Stack.BUCKET);
  }

  /** The engagement job's configuration with the servers of this stack. */
  public Path engagementConfig() {
    return folder.resolve("engagement.yaml");
  }

  /** Every part, asked now. */
  public List<Health> health() {
    return parts.values().parallelStream()
        .map(server -> new Health(server.name(), server.address(), server.pid(), trouble(server)))
        .toList();
  }

  private static String trouble(ServerProcess server) {
    if (!server.isRunning()) {
      return "does not run; its log is " + server.log();
    }
    try {
      return server.answers() ? "" : "does not answer as it should; its log is " + server.log();
    } catch (Exception e) {
      return "runs and does not answer; its log is " + server.log();
    }
  }

  /** Flink's keys for this stack's addresses. */
  Map<String, String> flinkSettings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("jobmanager.rpc.address", "127.0.0.1");
    settings.put("jobmanager.bind-host", "127.0.0.1");
    settings.put("taskmanager.host", "127.0.0.1");
    settings.put("taskmanager.bind-host", "127.0.0.1");
    settings.put("rest.address", "127.0.0.1");
    settings.put("rest.bind-address", "127.0.0.1");
    settings.put("high-availability.zookeeper.quorum", zookeeper.address());
    settings.put("s3.endpoint", s3.endpoint().toString());
    settings.put("s3.endpoint.region", "us-east-1");
    settings.put("s3.path.style.access", "true");
    settings.put("s3.access-key", s3.accessKey());
    settings.put("s3.secret-key", s3.secretKey());
    settings.putAll(moreFlink);
    return settings;
  }

  private Map<String, List<String>> scrapeTargets() {
    List<String> flink =
        Stream.concat(Stream.of(jobManager), taskManagers.stream())
            .map(FlinkProcess::metricsAddress)
            .toList();
    Map<String, List<String>> targets = new LinkedHashMap<>();
    targets.put("flink", flink);
    if (parts.get("alertmanager") instanceof MonitoringProcess alertmanager) {
      targets.put("alertmanager", List.of(alertmanager.hostAndPort()));
    }
    return targets;
  }

  private synchronized void remember() {
    for (ServerProcess server : parts.values()) {
      if (!server.ports().isEmpty()) {
        state
            .parts()
            .put(
                server.name(),
                new Part(server.pid(), server.ports(), server.address(), server.log().toString()));
      }
    }
    state.write(folder);
  }

  private void start(int portBase, PrintStream print) {
    // What no state file knows was left by a start that was killed: nothing was in it yet.
    parts.forEach(
        (name, server) -> {
          if (!state.parts().containsKey(name)) {
            BuildFiles.deleteTree(folder.resolve(name));
          }
        });
    Set<String> waiting = new TreeSet<>(parts.keySet());
    List<ServerProcess> started = new ArrayList<>();
    Map<String, CompletableFuture<Void>> starts = new LinkedHashMap<>();
    parts.forEach(
        (name, server) ->
            starts.put(
                name,
                needed(name, starts)
                    .thenRunAsync(
                        () -> {
                          startPart(server, portBase, print, started);
                          synchronized (waiting) {
                            waiting.remove(name);
                          }
                        },
                        run -> new Thread(run, "start-" + name).start())));
    CompletableFuture<Void> all =
        CompletableFuture.allOf(starts.values().toArray(CompletableFuture[]::new));
    try {
      awaitAll(all, waiting, print);
    } catch (CommandFailure e) {
      synchronized (started) {
        started.parallelStream().forEach(ServerProcess::stop);
      }
      throw e;
    }
    writeEngagementConfig();
  }

  /** What has to be there before a part starts. */
  private static CompletableFuture<Void> needed(
      String part, Map<String, CompletableFuture<Void>> starts) {
    List<String> before =
        switch (part) {
          case "metastore" -> List.of("s3");
          case "jobmanager" -> List.of("s3", "zookeeper");
          // Started with the JobManager, and ready when that knows them.
          case "taskmanager-1", "taskmanager-2" -> List.of("s3", "zookeeper");
          // It is told the ports of all others.
          case "prometheus" ->
              List.of("taskmanager-1", "taskmanager-2", "jobmanager", "alertmanager");
          default -> List.of();
        };
    return CompletableFuture.allOf(
        before.stream()
            .map(name -> starts.getOrDefault(name, CompletableFuture.completedFuture(null)))
            .toArray(CompletableFuture[]::new));
  }

  private void startPart(
      ServerProcess server, int portBase, PrintStream print, List<ServerProcess> started) {
    long begin = System.nanoTime();
    if (server.isRunning() && answersSoon(server)) {
      print.printf(Locale.ROOT, "%-14s runs       %s%n", server.name(), server.address());
      return;
    }
    server.stop();
    List<Integer> ports = server.ports();
    if (ports.isEmpty()) {
      ports = portBase == 0 ? List.of() : ports(portBase).get(server.name());
    } else {
      for (int port : ports) {
        awaitFree(port, server.name());
      }
    }
    synchronized (started) {
      started.add(server);
    }
    server.startDetached(ports, this::remember);
    if (server == s3) {
      s3.createBucket(Stack.BUCKET);
      s3.createBucket(FLINK_BUCKET);
    }
    if (server == kafka && !kafka.topics().containsAll(SimulatedTraffic.TOPICS)) {
      SimulatedTraffic.createTopics(kafka, "", PARTITIONS);
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    print.printf(Locale.ROOT, "%-14s %5.1f s    %s%n", server.name(), seconds, server.address());
  }

  /** What was killed a moment ago may still hold its port. */
  private static void awaitFree(int port, String name) {
    try {
      Await.until("port " + port, PORT_PATIENCE, () -> Port.isFree(port));
    } catch (IllegalStateException e) {
      throw new CommandFailure(
          String.format(
              "port %d, which %s had, is taken by another program; end that, or give up this stack"
                  + " and its data by scripts/down --delete",
              port, name),
          e);
    }
  }

  /** A TaskManager, for one, answers when the JobManager that is starting beside it knows it. */
  private static boolean answersSoon(ServerProcess server) {
    try {
      Await.until(
          "an answer of " + server.name(),
          ANSWER_PATIENCE,
          () -> !server.isRunning() || server.answers());
      return server.isRunning();
    } catch (IllegalStateException e) {
      return false;
    }
  }

  private static void awaitAll(
      CompletableFuture<Void> all, Set<String> waiting, PrintStream print) {
    while (true) {
      try {
        all.get(REPORT_SECONDS, TimeUnit.SECONDS);
        return;
      } catch (TimeoutException e) {
        synchronized (waiting) {
          print.println("waiting for    " + String.join(", ", waiting));
        }
      } catch (ExecutionException e) {
        Throwable cause = e.getCause();
        while (cause instanceof CompletionException && cause.getCause() != null) {
          cause = cause.getCause();
        }
        throw new CommandFailure(cause.getMessage(), cause);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommandFailure("interrupted while waiting for " + waiting, e);
      }
    }
  }

  private boolean stop(PrintStream print) {
    List<ServerProcess> flink =
        parts.values().stream().filter(p -> p instanceof FlinkProcess).toList();
    List<ServerProcess> others =
        parts.values().stream().filter(p -> !(p instanceof FlinkProcess)).toList();
    // Flink first, while what it needs to leave in order is there.
    long running = stopAll(flink, print) + stopAll(others, print);
    return running > 0;
  }

  private static long stopAll(List<ServerProcess> servers, PrintStream print) {
    return servers.parallelStream()
        .filter(ServerProcess::isRunning)
        .filter(
            server -> {
              server.stop();
              print.printf(Locale.ROOT, "%-14s stopped%n", server.name());
              return true;
            })
        .count();
  }

  private void writeEngagementConfig() {
    try {
      Files.writeString(
          engagementConfig(),
          """
          # Written by scripts/up: the engagement job on this stack's servers.
          kafka.bootstrap-servers: %s
          lake.root: s3://%s
          # Two slots share a TaskManager of 2176 MB.
          lake.writer-memory: 48 mb
          users.cache-size: 48 mb
          catalog:
            kind: hive
            uri: %s
          """
              .formatted(kafka.bootstrap(), Stack.BUCKET, metastore.uri()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + engagementConfig(), e);
    }
  }
}
