package io.millrace.bench;

import io.millrace.local.Commands;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.RuntimeMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What an event costs on this machine; see {@code --help}. */
@Command(
    name = "scripts/bench",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Measures what an event costs on this machine, in microseconds of CPU time.",
      "It prints figures; it does not hold them against a limit.",
      "See docs/performance.md."
    },
    sortOptions = false)
public final class Bench implements Callable<Integer> {
  @Spec private CommandSpec spec;

  private Bench() {}

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Path home = Path.of(System.getProperty("millrace.home", "."));
    System.exit(
        Commands.run(
            new Bench(),
            args,
            new DecodeBenchmark(print),
            new EngagementBenchmark(print, home),
            new BoundedBenchmark(print, home),
            new ArrowBenchmark(print, home),
            new PipelineBenchmark(print, home)));
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(System.out);
    return 2;
  }

  /** Says what runs the benchmark. */
  static void printJvm(PrintStream print, List<String> flags) {
    RuntimeMXBean jvm = ManagementFactory.getRuntimeMXBean();
    print.printf(
        "JVM:   %s %s, %d processors%n",
        jvm.getVmName(), jvm.getVmVersion(), Runtime.getRuntime().availableProcessors());
    // Access to the JDK's packages costs nothing and is always the same.
    print.printf(
        "Flags: %s%n",
        String.join(
            " ",
            flags.stream()
                .filter(f -> !f.startsWith("--add-opens") && !f.startsWith("-Dmillrace"))
                .toList()));
  }

  /** The flags that this JVM runs with. */
  static List<String> flags() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments();
  }
}
