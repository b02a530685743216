package io.millrace.local;

import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Sends simulated events to the local stack; see {@code --help}. */
@Command(
    name = "scripts/simulate",
    mixinStandardHelpOptions = true,
    description = {
      "Sends the simulated events of a day to the Kafka of scripts/up, one in a hundred of them",
      "malformed, resent or late, and tells what a right job makes of them."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Simulate implements Callable<Integer> {
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
      names = "--rate",
      paramLabel = "N",
      description = "Most records per second (default: as fast as can be).")
  private long rate = Long.MAX_VALUE;

  @Option(
      names = "--day",
      paramLabel = "YYYY-MM-DD",
      defaultValue = "2026-01-05",
      description = {
        "The day, in UTC, on which the events happen (default: ${DEFAULT-VALUE}). What happens before",
        "a day that the job has seen is late."
      })
  private LocalDate day;

  private final PrintStream print;
  private final Path home;

  Simulate(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Simulate(print, Commands.home()), args));
  }

  @Override
  public Integer call() {
    if (events <= 0) {
      throw new IllegalArgumentException("--events is " + events + ", but must be at least 1");
    }
    if (rate <= 0) {
      throw new IllegalArgumentException("--rate is " + rate + ", but must be at least 1");
    }
    DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
    SimulatorOptions options =
        SimulatorOptions.of(events, seed)
            .withTime(day.atStartOfDay(ZoneOffset.UTC).toInstant(), Duration.ofHours(24))
            .withMalformed(0.01)
            .withDuplicates(0.01)
            .withLate(0.01);
    Progress sending = new Progress(print, "sent", events);
    Truth truth = SimulatedTraffic.send(stack.kafka(), "", options, rate, sending::at);
    sending.done();
    print.printf(
        Locale.ROOT,
        "to be accepted %,d, rejected %,d, dropped as duplicates %,d%n",
        truth.total().accepted(),
        truth.total().rejected(),
        truth.total().duplicates());
    return 0;
  }
}
