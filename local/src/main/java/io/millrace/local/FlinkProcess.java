package io.millrace.local;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.jobmanager.JobManagerProcessSpec;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.apache.flink.runtime.util.config.memory.ProcessMemoryUtils;

/**
 * A JobManager or a TaskManager of a standalone cluster, configured by `flink-conf` and by where
 * the other servers are.
 */
final class FlinkProcess extends ServerProcess {
  private static final String JOB_MANAGER = "jobmanager";
  private static final String CONFIG = "config.yaml";

  private final Supplier<Map<String, String>> cluster;
  private final Supplier<FlinkRest> rest;
  private int metricsPort;
  private int restPort;

  private FlinkProcess(
      String name, Path folder, Supplier<Map<String, String>> cluster, Supplier<FlinkRest> rest) {
    super(name, folder);
    this.cluster = cluster;
    this.rest = rest;
  }

  /**
   * The JobManager, not started.
   *
   * @param cluster Flink's keys for where the other servers are
   */
  static FlinkProcess jobManager(Path folder, Supplier<Map<String, String>> cluster) {
    return new FlinkProcess(JOB_MANAGER, folder, cluster, null);
  }

  /**
   * A TaskManager, not started.
   *
   * @param cluster Flink's keys for where the other servers are
   * @param rest the JobManager, which knows whether this TaskManager can be reached
   */
  static FlinkProcess taskManager(
      String name, Path folder, Supplier<Map<String, String>> cluster, Supplier<FlinkRest> rest) {
    return new FlinkProcess(name, folder, cluster, rest);
  }

  /** The folder with `lib`, `plugins` and `opt`. */
  static Path distribution() {
    return BuildFiles.server("flink");
  }

  private boolean isJobManager() {
    return name().equals(JOB_MANAGER);
  }

  /** The REST interface of this JobManager. */
  FlinkRest rest() {
    return isJobManager() ? new FlinkRest("127.0.0.1", restPort) : rest.get();
  }

  @Override
  public String address() {
    return isJobManager()
        ? "http://127.0.0.1:" + restPort
        : "http://127.0.0.1:" + metricsPort + "/metrics";
  }

  /** HOST:PORT of its metrics in the format of Prometheus. */
  String metricsAddress() {
    return "127.0.0.1:" + metricsPort;
  }

  @Override
  Path console() {
    return folder().resolve(name() + ".out");
  }

  @Override
  List<Integer> choosePorts() {
    metricsPort = claimPort();
    if (!isJobManager()) {
      return List.of(metricsPort);
    }
    restPort = claimPort();
    return List.of(metricsPort, restPort);
  }

  @Override
  void prepare() {}

  @Override
  void configure() throws IOException {
    Map<String, String> settings = new LinkedHashMap<>(cluster.get());
    settings.put("metrics.reporter.prom.port", Integer.toString(metricsPort));
    settings.put("io.tmp.dirs", Files.createDirectories(folder().resolve("tmp")).toString());
    if (isJobManager()) {
      settings.put("rest.port", Integer.toString(restPort));
      settings.put("rest.bind-port", Integer.toString(restPort));
    } else {
      settings.put("taskmanager.resource-id", name());
    }
    writeConf(conf(), settings);
  }

  private Path conf() {
    return folder().resolve("conf");
  }

  /** Copies `flink-conf`, with settings that replace those of the file or stand at its end. */
  static void writeConf(Path conf, Map<String, String> settings) throws IOException {
    Path shipped = BuildFiles.module().resolveSibling("flink-conf");
    BuildFiles.deleteTree(conf);
    BuildFiles.copyTree(shipped, conf);
    Map<String, String> left = new LinkedHashMap<>(settings);
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(shipped.resolve(CONFIG))) {
      int colon = line.indexOf(": ");
      String value = colon < 0 ? null : left.remove(line.substring(0, colon));
      lines.add(value == null ? line : line.substring(0, colon) + ": " + value);
    }
    lines.add("");
    lines.add("# Of this machine.");
    left.forEach((key, value) -> lines.add(key + ": " + value));
    Files.write(conf.resolve(CONFIG), lines);
  }

  @Override
  List<Path> classPath() {
    return List.of(distribution().resolve("lib").resolve("*"));
  }

  @Override
  Map<String, String> environment() {
    return environment(conf());
  }

  /** What Flink's programs are told by their environment. */
  static Map<String, String> environment(Path conf) {
    return Map.of(
        "FLINK_CONF_DIR", conf.toString(),
        "FLINK_LIB_DIR", distribution().resolve("lib").toString(),
        "FLINK_PLUGINS_DIR", distribution().resolve("plugins").toString());
  }

  @Override
  List<String> command() {
    Configuration configuration = GlobalConfiguration.loadConfiguration(conf().toString());
    List<String> line = new ArrayList<>();
    String dynamic;
    String main;
    if (isJobManager()) {
      JobManagerProcessSpec memory = JobManagerProcessUtils.processSpecFromConfig(configuration);
      line.addAll(words(JobManagerProcessUtils.generateJvmParametersStr(memory, configuration)));
      line.addAll(words(configuration.get(CoreOptions.FLINK_JM_JVM_OPTIONS)));
      dynamic = JobManagerProcessUtils.generateDynamicConfigsStr(memory);
      main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
    } else {
      TaskExecutorProcessSpec memory =
          TaskExecutorProcessUtils.processSpecFromConfig(configuration);
      line.addAll(words(ProcessMemoryUtils.generateJvmParametersStr(memory)));
      line.addAll(words(configuration.get(CoreOptions.FLINK_TM_JVM_OPTIONS)));
      dynamic = TaskExecutorProcessUtils.generateDynamicConfigsStr(memory);
      main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner";
    }
    line.addAll(words(configuration.get(CoreOptions.FLINK_JVM_OPTIONS)));
    line.add("-Dlog.file=" + log());
    line.add("-Dlog4j2.configurationFile=" + conf().resolve("log4j.properties"));
    line.add(Tether.class.getName());
    line.add(main);
    line.addAll(List.of("--configDir", conf().toString()));
    line.addAll(words(dynamic));
    return line;
  }

  /** The beginning of a client's command line, before its main class. */
  static List<String> client(Path conf, Path log, Path... jars) {
    List<String> classPath = new ArrayList<>();
    classPath.add(distribution().resolve("lib").resolve("*").toString());
    for (Path jar : jars) {
      classPath.add(jar.toString());
    }
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    line.addAll(
        words(
            GlobalConfiguration.loadConfiguration(conf.toString())
                .get(CoreOptions.FLINK_JVM_OPTIONS)));
    line.add("-Dlog.file=" + log);
    line.add("-Dlog4j2.configurationFile=" + conf.resolve("log4j.properties"));
    line.addAll(List.of("-cp", String.join(File.pathSeparator, classPath)));
    return line;
  }

  private static List<String> words(String text) {
    return Arrays.stream(text.split("\\s+")).filter(w -> !w.isEmpty()).collect(Collectors.toList());
  }

  @Override
  boolean answers() throws IOException {
    return isJobManager() ? rest().isLeading() : rest().hasTaskManager(name());
  }
}
