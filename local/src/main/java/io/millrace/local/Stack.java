package io.millrace.local;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The servers that Millrace runs against, real ones on this machine: Kafka, S3 and the Hive
 * Metastore, with as many Flink clusters as are asked for.
 */
public final class Stack implements AutoCloseable {
  /** The bucket that exists from the start. */
  public static final String BUCKET = "lake";

  private static final PrintStream SILENT =
      new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

  private final Path folder;
  private final PrintStream progress;
  private final AtomicInteger flinkClusters = new AtomicInteger();
  private final List<AutoCloseable> started = new ArrayList<>();
  private KafkaBroker kafka;
  private S3Server s3;
  private FaultyS3 faultyS3;
  private Metastore metastore;

  private Stack(Path folder, PrintStream progress) {
    this.folder = folder;
    this.progress = progress;
  }

  /** Starts the servers in a new folder, silently. */
  public static Stack start(Path folder) {
    return start(folder, SILENT);
  }

  /** Starts the servers in a new folder, with a line of progress for each. */
  public static Stack start(Path folder, PrintStream progress) {
    Stack stack = new Stack(folder.toAbsolutePath(), progress);
    try {
      stack.startServers();
    } catch (RuntimeException e) {
      stack.close();
      throw e;
    }
    return stack;
  }

  /** The stack that all tests of a JVM share; it ends, and its data goes, with the JVM. */
  public static Stack shared() {
    return Shared.STACK;
  }

  /** The broker. */
  public KafkaBroker kafka() {
    return kafka;
  }

  /** The S3 server itself: its endpoint knows no faults. */
  public S3Server s3() {
    return s3;
  }

  /** The way to S3 that Flink and the metastore take. */
  public FaultyS3 faultyS3() {
    return faultyS3;
  }

  public Metastore metastore() {
    return metastore;
  }

  /** The folder of {@link #BUCKET} on the disk: see {@link S3Server#folder}. */
  public Path lake() {
    return s3.folder(BUCKET);
  }

  /** Flink's keys for S3, by the way that can fail. */
  public Map<String, String> s3Settings() {
    return Map.of(
        "s3.endpoint", faultyS3.endpoint().toString(),
        "s3.endpoint.region", "us-east-1",
        "s3.path.style.access", "true",
        "s3.access-key", s3.accessKey(),
        "s3.secret-key", s3.secretKey());
  }

  /** Starts a Flink cluster with checkpoints on S3; the caller closes it. */
  public FlinkCluster startFlink(int taskManagers, int slotsPerTaskManager) {
    return startFlink(taskManagers, slotsPerTaskManager, Map.of());
  }

  /**
   * Starts a Flink cluster with checkpoints on S3; the caller closes it.
   *
   * @param settings Flink's keys, which win over all defaults
   */
  public FlinkCluster startFlink(
      int taskManagers, int slotsPerTaskManager, Map<String, String> settings) {
    String name = "flink-" + flinkClusters.incrementAndGet();
    Map<String, String> all = new HashMap<>(s3Settings());
    all.put("execution.checkpointing.dir", "s3://" + BUCKET + "/flink/" + name + "/checkpoints");
    all.put(
        "execution.checkpointing.savepoint-dir",
        "s3://" + BUCKET + "/flink/" + name + "/savepoints");
    all.putAll(settings);
    long begin = System.nanoTime();
    FlinkCluster cluster =
        FlinkCluster.start(folder.resolve(name), taskManagers, slotsPerTaskManager, all);
    report(name, begin, cluster.webUrl());
    return cluster;
  }

  /** Stops the servers; their data stays. */
  @Override
  public void close() {
    List<AutoCloseable> parts;
    synchronized (started) {
      parts = new ArrayList<>(started);
      started.clear();
    }
    parts.parallelStream().forEach(Stack::close);
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      throw new IllegalStateException("cannot close " + part, e);
    }
  }

  private void startServers() {
    CompletableFuture<Void> broker =
        inThread(
            "start-kafka",
            () -> kafka = part("kafka", () -> KafkaBroker.start(folder.resolve("kafka"))));
    CompletableFuture<Void> lake = inThread("start-lake", this::startS3AndMetastore);
    // All of them, before anything is thrown: what is still starting could not be closed.
    CompletableFuture.allOf(broker, lake).exceptionally(failure -> null).join();
    try {
      broker.join();
      lake.join();
    } catch (CompletionException e) {
      throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
    }
  }

  private void startS3AndMetastore() {
    s3 = part("s3", () -> S3Server.start(folder.resolve("s3")));
    s3.createBucket(BUCKET);
    faultyS3 = FaultyS3.before(s3.endpoint());
    own(faultyS3);
    metastore =
        part(
            "metastore",
            () ->
                Metastore.start(
                    folder.resolve("metastore"),
                    faultyS3.endpoint(),
                    s3.accessKey(),
                    s3.secretKey()));
  }

  private static CompletableFuture<Void> inThread(String name, Runnable task) {
    return CompletableFuture.runAsync(task, run -> new Thread(run, name).start());
  }

  private <T extends ServerProcess> T part(String name, Supplier<T> start) {
    long begin = System.nanoTime();
    T server = start.get();
    own(server);
    report(name, begin, server.address());
    return server;
  }

  private void report(String name, long begin, String address) {
    double seconds = (System.nanoTime() - begin) / 1e9;
    progress.printf(Locale.ROOT, "%-10s %5.1f s  %s%n", name, seconds, address);
  }

  private void own(AutoCloseable part) {
    synchronized (started) {
      started.add(part);
    }
  }

  private static final class Shared {
    static final Stack STACK = start();

    private static Stack start() {
      try {
        Path folder = Files.createTempDirectory(BuildFiles.classes().getParent(), "stack-");
        Stack stack = Stack.start(folder.resolve("servers"));
        Runtime.getRuntime()
            .addShutdownHook(
                new Thread(
                    () -> {
                      stack.close();
                      BuildFiles.deleteTree(folder);
                    },
                    "close-shared-stack"));
        return stack;
      } catch (IOException e) {
        throw new UncheckedIOException("no folder for the shared stack", e);
      }
    }
  }
}
