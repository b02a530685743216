package io.millrace.local;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * One server of the stack as a child process on loopback, with a folder of its own for data and
 * log; it can be killed, stopped and restarted on the same port and data.
 */
public abstract class ServerProcess implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofMinutes(2);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);
  private static final int PORT_ATTEMPTS = 3;
  private static final int LOG_TAIL_LINES = 40;

  private final String name;
  private final Path folder;
  private final Thread hook;
  private final List<Port> claims = new ArrayList<>();
  private List<Integer> numbers = List.of();
  private Process process;

  ServerProcess(String name, Path folder) {
    this.name = name;
    this.folder = folder.toAbsolutePath();
    this.hook = new Thread(this::kill, "stop-" + name);
  }

  /** Chooses free ports; called again when another program was faster to bind one of them. */
  abstract List<Integer> choosePorts();

  /** Writes the configuration and the first data; called before the first launch. */
  abstract void prepare() throws IOException;

  /** The JVM's options, the server's main class and its arguments. */
  abstract List<String> command();

  /** The whole command line; that of a JVM with this server's jars unless told otherwise. */
  List<String> commandLine() {
    return java(command());
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

  /** Ends the process at once, as a crash would (SIGKILL). */
  public final synchronized void kill() {
    if (process != null) {
      process.destroyForcibly();
      process.onExit().join();
    }
  }

  /** Asks the process to end (SIGTERM), and kills it when it takes too long. */
  public final synchronized void stop() {
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

  public final synchronized boolean isRunning() {
    return process != null && process.isAlive();
  }

  public final synchronized long pid() {
    return process.pid();
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

  private synchronized void launch() {
    try {
      process = run(commandLine());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot run " + name, e);
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
    line.add("-cp");
    line.add(
        String.join(
            File.pathSeparator,
            folder.resolve("conf").toString(),
            BuildFiles.classes().toString(),
            BuildFiles.server(name).resolve("lib").resolve("*").toString()));
    line.addAll(command);
    return line;
  }

  private Process run(List<String> line, Map<String, String> environment) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile());
    builder.environment().putAll(environment);
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    return builder.start();
  }

  final String logTail() {
    try {
      // A server may print what is not UTF-8.
      List<String> lines =
          new String(Files.readAllBytes(log()), StandardCharsets.UTF_8).lines().toList();
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
