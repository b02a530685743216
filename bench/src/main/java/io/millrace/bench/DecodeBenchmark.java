package io.millrace.bench;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.datagen.EngagementSimulator;
import io.millrace.datagen.SimulatedRecord;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.event.Origin;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.TextTable;
import io.millrace.validation.Validate;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Decoding and validation alone, in memory and on one thread; see {@code --help}. */
@Command(
    name = "decode",
    mixinStandardHelpOptions = true,
    header = "Decoding and validation alone, in memory and on one thread.",
    description = {
      "Decodes and validates simulated records in memory, on one thread, and tells",
      "the CPU time of that thread per event: for clean input, and for input of",
      "which a twentieth is malformed."
    },
    sortOptions = false)
final class DecodeBenchmark implements Callable<Integer> {
  private static final double BUDGET_MICROS = 3;
  private static final double MALFORMED = 0.05;
  private static final int WARM_UP_ROUNDS = 5;

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Records in memory (default: ${DEFAULT-VALUE}).")
  private int events;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "9",
      description = "Measured rounds over ten times these records (default: ${DEFAULT-VALUE}).")
  private int rounds;

  private static final int PASSES = 10;

  private final PrintStream print;
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

  DecodeBenchmark(PrintStream print) {
    this.print = print;
  }

  @Override
  public Integer call() {
    Bench.printJvm(print, Bench.flags());
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("clean", SimulatorOptions.of(events, 1)));
    rows.add(row("5 % malformed", SimulatorOptions.of(events, 1).withMalformed(MALFORMED)));
    TextTable.print(
        print,
        new Rows(
            List.of("input", "min", "median", "max", "budget", "events", "bytes/event", "rejected"),
            rows));
    print.println("min, median and max: CPU microseconds per event, of a round");
    return 0;
  }

  private List<String> row(String name, SimulatorOptions options) {
    List<SimulatedRecord> records = new ArrayList<>(events);
    EngagementSimulator simulator = new EngagementSimulator(options);
    simulator.forEachRemaining(records::add);
    long bytes = records.stream().mapToLong(r -> r.value() == null ? 0 : r.value().length).sum();
    long rejected = simulator.truth().total().rejected();

    EngagementConfig config =
        EngagementConfig.parse(
            "--kafka.bootstrap-servers", "none:9092", "--lake.root", "file:///none");
    Validate validate = new Validate(config.rules(), new JsonEventDecoder(config.limits()));
    for (int i = 0; i < WARM_UP_ROUNDS; i++) {
      round(validate, records, rejected);
    }
    double[] micros = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      micros[i] = round(validate, records, rejected);
    }
    Arrays.sort(micros);
    return List.of(
        name,
        decimal(micros[0]),
        decimal(micros[rounds / 2]),
        decimal(micros[rounds - 1]),
        decimal(BUDGET_MICROS),
        Long.toString((long) PASSES * events),
        Long.toString(bytes / events),
        Long.toString(PASSES * rejected));
  }

  /** CPU microseconds per event. */
  private double round(Validate validate, List<SimulatedRecord> records, long rejected) {
    long begin = threads.getCurrentThreadCpuTime();
    long found = 0;
    for (int pass = 0; pass < PASSES; pass++) {
      long offset = 0;
      for (SimulatedRecord r : records) {
        Origin origin =
            new Origin(r.topic(), 0, offset++, r.timestamp(), System.currentTimeMillis());
        found += validate.validate(origin, r.key(), List.of(), r.value()).accepted() ? 0 : 1;
      }
    }
    long nanos = threads.getCurrentThreadCpuTime() - begin;
    if (found != PASSES * rejected) {
      throw new IllegalStateException(
          found + " records were rejected, but " + PASSES * rejected + " had to be");
    }
    return nanos / 1e3 / PASSES / records.size();
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
