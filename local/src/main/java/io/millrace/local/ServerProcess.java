package io.millrace.local;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.annotation.Nullable;

/**
 * One server of the stack as a process on loopback, with a folder of its own for data and log; it
 * can be killed, stopped and restarted on the same port and data.
 *
 * <p>It ends with this JVM, unless it was started detached: then it runs on, and another JVM can
 * take it over by its process number and ports.
 */
public abstract class ServerProcess implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofMinutes(2);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);
  private static final int PORT_ATTEMPTS = 3;
  private static final int LOG_TAIL_LINES = 40;
  private static final ProcessBuilder.Redirect NO_INPUT =
      ProcessBuilder.Redirect.from(new File("/dev/null"));

  private final String name;
  private final Path folder;
  private final Thread hook;
  private final List<Port> claims = new ArrayList<>();
  private final Deque<Integer> wanted = new ArrayDeque<>();
  private volatile List<Integer> numbers = List.of();
  private boolean standsAlone;
  private boolean portsAreFixed;
  // Asked while a launch, which takes its time, holds the lock.
  @Nullable private volatile Process process;
  @Nullable private volatile DetachedProcess detached;

  ServerProcess(String name, Path folder) {
    this.name = name;
    this.folder = folder.toAbsolutePath();
    this.hook = new Thread(this::kill, "stop-" + name);
  }

  /** Chooses free ports; called again when another program was faster to bind one of them. */
  abstract List<Integer> choosePorts();

  /** Writes the configuration and the first data; called before the first launch. */
  abstract void prepare() throws IOException;

  /** Writes configuration that may differ from one launch to the next. */
  void configure() throws IOException {}

  /**
   * The JVM's options, {@link Tether} as the main class, then the server's own and its arguments.
   */
  abstract List<String> command();

  /** The whole command line; that of a JVM with this server's jars unless told otherwise. */
  List<String> commandLine() {
    return java(command());
  }

  /** What only this server's command line has. */
  String mark() {
    return "-Dmillrace.part=" + folder;
  }

  /** The class path, when the server is a JVM. */
  List<Path> classPath() {
    return List.of(
        folder.resolve("conf"),
        BuildFiles.classes(),
        BuildFiles.server(name).resolve("lib").resolve("*"));
  }

  /** The variables of its environment, beside those of this JVM. */
  Map<String, String> environment() {
    return Map.of();
  }

  /** Called when the server has been closed, to remove what is not in its folder alone. */
  void closed() {}

  /** Whether a real request is answered as it should be. */
  abstract boolean answers() throws Exception;

  /** What clients connect to. */
  public abstract String address();

  final void start() {
    if (Files.exists(folder)) {
      throw new IllegalStateException(name + " starts in a new folder, but " + folder + " exists");
    }
    for (int attempt = 1; ; attempt++) {
      numbers = choosePorts();
      try {
        BuildFiles.deleteTree(folder);
        Files.createDirectories(folder);
        prepare();
        configure();
        launch();
        break;
      } catch (PortTakenException e) {
        releasePorts();
        if (attempt == PORT_ATTEMPTS) {
          throw e;
        }
      } catch (IOException e) {
        throw new UncheckedIOException("cannot start " + name + " in " + folder, e);
      }
    }
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Starts it as a process that outlives this JVM. In a folder that it has been started in before
   * it goes on with that data, on the same ports.
   *
   * @param ports to be taken where they are free, in the order of its claims
   * @param changed is called when the ports are chosen and the first data is there, and again when
   *     the process runs
   */
  final void startDetached(List<Integer> ports, Runnable changed) {
    standsAlone = true;
    boolean again = Files.exists(folder);
    for (int attempt = 1; ; attempt++) {
      takePorts(ports, again);
      try {
        if (!again) {
          BuildFiles.deleteTree(folder);
          Files.createDirectories(folder);
          prepare();
        }
        configure();
        changed.run();
        launch(changed);
        return;
      } catch (PortTakenException e) {
        if (again || attempt == PORT_ATTEMPTS) {
          throw e;
        }
      } catch (IOException e) {
        throw new UncheckedIOException("cannot start " + name + " in " + folder, e);
      } finally {
        releasePorts();
      }
    }
  }

  /**
   * Takes over what another JVM has started detached, or left behind.
   *
   * @param pid its process, or 0 when none runs
   */
  final void attach(long pid, List<Integer> ports) {
    standsAlone = true;
    takePorts(ports, true);
    detached = new DetachedProcess(pid, mark());
  }

  private void takePorts(List<Integer> ports, boolean fixed) {
    wanted.clear();
    wanted.addAll(ports);
    portsAreFixed = fixed;
    numbers = choosePorts();
  }

  /** The ports that it has, in the order of its claims. */
  final List<Integer> ports() {
    return numbers;
  }

  /** Ends the process at once, as a crash would (SIGKILL). */
  public final synchronized void kill() {
    if (detached != null) {
      detached.kill();
    } else if (process != null) {
      process.destroyForcibly();
      process.onExit().join();
    }
  }

  /** Asks the process to end (SIGTERM), and kills it when it takes too long. */
  public final synchronized void stop() {
    if (detached != null) {
      detached.stop(STOP_TIMEOUT);
      return;
    }
    if (process == null) {
      return;
    }
    process.destroy();
    try {
      if (!process.waitFor(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        kill();
      }
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
    }
  }

  /** Starts the server again on the same port and data, after stopping it if it runs. */
  public final synchronized void restart() {
    stop();
    launch();
  }

  /** A port for this server alone, until it is closed. */
  final int claimPort() {
    Integer number = wanted.poll();
    if (number != null && (portsAreFixed || Port.isFree(number))) {
      return number;
    }
    Port port = Port.claim();
    claims.add(port);
    return port.number();
  }

  private void releasePorts() {
    claims.forEach(Port::close);
    claims.clear();
  }

  @Override
  public final void close() {
    stop();
    releasePorts();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is shutting down already: the hook may run, and finds the process gone.
    }
    closed();
  }

  public final boolean isRunning() {
    DetachedProcess alone = detached;
    Process child = process;
    return alone != null ? alone.isAlive() : child != null && child.isAlive();
  }

  /** The number of its process; of one that has ended, the last; 0 before there was any. */
  public final long pid() {
    DetachedProcess alone = detached;
    Process child = process;
    return alone != null ? alone.pid() : child == null ? 0 : child.pid();
  }

  public final String name() {
    return name;
  }

  /** What the server printed, over all its restarts. */
  public final Path log() {
    return folder.resolve(name + ".log");
  }

  final Path folder() {
    return folder;
  }

  /** What holds the server to this JVM: see {@link Tether}. */
  final synchronized OutputStream parentPipe() {
    return process.getOutputStream();
  }

  private void launch() {
    launch(() -> {});
  }

  private synchronized void launch(Runnable changed) {
    try {
      process =
          standsAlone
              ? run(standingAlone(commandLine()), environment(), NO_INPUT)
              : run(commandLine(), environment());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot run " + name, e);
    }
    if (standsAlone) {
      detached = new DetachedProcess(process.pid(), mark());
      changed.run();
    }
    try {
      Await.until(name + " on " + address(), START_TIMEOUT, () -> !process.isAlive() || answers());
    } catch (IllegalStateException e) {
      kill();
      throw new IllegalStateException(e.getMessage() + "; its log ends:\n" + logTail(), e);
    }
    if (!process.isAlive()) {
      String message =
          "%s ended with exit code %d while starting on %s; its log ends:\n%s"
              .formatted(name, process.exitValue(), address(), logTail());
      throw numbers.stream().allMatch(Port::isFree)
          ? new IllegalStateException(message)
          : new PortTakenException(message);
    }
  }

  /** The same program without the tether, in a session that no key of a terminal ends. */
  private List<String> standingAlone(List<String> line) {
    List<String> alone = new ArrayList<>(line);
    alone.remove(Tether.class.getName());
    alone.add(0, "setsid");
    return alone;
  }

  /** Runs a main class with this server's jars, printing to its log. */
  final Process spawn(List<String> command, Map<String, String> environment) throws IOException {
    return run(java(command), environment);
  }

  /** Runs a program in this server's folder, printing to its log. */
  final Process run(List<String> line) throws IOException {
    return run(line, Map.of());
  }

  private List<String> java(List<String> command) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.add(mark());
    line.add("-cp");
    line.add(
        classPath().stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
    line.addAll(command);
    return line;
  }

  private Process run(List<String> line, Map<String, String> environment) throws IOException {
    return run(line, environment, ProcessBuilder.Redirect.PIPE);
  }

  private Process run(
      List<String> line, Map<String, String> environment, ProcessBuilder.Redirect input)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile());
    builder.environment().putAll(environment);
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(console().toFile()));
    builder.redirectInput(input);
    return builder.start();
  }

  /** What it prints; the log, unless it writes that itself. */
  Path console() {
    return log();
  }

  final String logTail() {
    try {
      Path last = Files.exists(log()) && Files.size(log()) > 0 ? log() : console();
      // A server may print what is not UTF-8.
      List<String> lines =
          new String(Files.readAllBytes(last), StandardCharsets.UTF_8).lines().toList();
      return String.join(
          "\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  private static final class PortTakenException extends IllegalStateException {
    PortTakenException(String message) {
      super(message);
    }
  }
}
