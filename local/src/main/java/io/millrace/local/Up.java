package io.millrace.local;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Starts the local stack; see {@code --help}. */
@Command(
    name = "scripts/up",
    mixinStandardHelpOptions = true,
    description = {
      "Starts Kafka, an S3 server, a Hive Metastore, ZooKeeper and a Flink cluster of one JobManager",
      "and two TaskManagers as processes of this machine, on loopback, and Prometheus and",
      "Alertmanager where they are installed. What runs already is left alone; what has died is",
      "started again on its data. scripts/status shows them, scripts/down stops them."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Up implements Callable<Integer> {
  @Option(
      names = "--port-base",
      paramLabel = "N",
      defaultValue = "" + DetachedStack.PORT_BASE,
      description = {
        "The lowest port of a new stack (default: ${DEFAULT-VALUE}): Kafka N, S3 N+2, Metastore N+3,",
        "ZooKeeper N+4, Flink's web page N+5, metrics N+6 to N+8, Prometheus N+9, Alertmanager N+10.",
        "In place of one that is taken a free one is chosen and shown."
      })
  private int portBase;

  private final PrintStream print;
  private final Path home;

  Up(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Up(print, Commands.home()), args));
  }

  @Override
  public Integer call() {
    if (portBase < 1024 || portBase > 65_500) {
      throw new IllegalArgumentException(
          "--port-base is " + portBase + ", but must be 1024 to 65500");
    }
    DetachedStack stack = DetachedStack.up(home.resolve(DetachedStack.FOLDER), portBase, print);
    print.println("Up. Flink: " + stack.server("jobmanager").address());
    print.println(
        "Next: scripts/submit engagement, scripts/simulate, scripts/status, scripts/down");
    return 0;
  }
}
