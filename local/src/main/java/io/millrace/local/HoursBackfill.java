package io.millrace.local;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.lake.publish.BackfillPlan.Stage;
import io.millrace.lake.publish.BackfillPlan.Window;
import io.millrace.lake.publish.HourRange;
import io.millrace.lake.publish.Swap;
import io.millrace.lake.publish.Swap.Swapped;
import io.millrace.local.LakeReader.Rows;
import io.millrace.session.SessionRules;
import java.io.IOException;
import java.io.PrintStream;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.annotation.Nullable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.Path;
import org.apache.flink.util.TimeUtils;
import picocli.CommandLine;

/**
 * Recomputes hours of a lake from its raw records: a plan, the engagement job over what the plan
 * names, and the swap of the partitions.
 *
 * <p>What is read: events of the UTC days that the hours touch, of the longest session and a gap
 * before, since a session may have begun there, and of a gap after, since only a later event tells
 * that a session has not ended.
 */
final class HoursBackfill {
  private final PrintStream print;
  private final HourRange hours;
  private final Path root;
  private final CatalogSpec catalogs;
  private final Map<String, String> settings;
  private final List<String> arguments;
  private final EngagementConfig config;
  private final List<TableSchema> tables;
  private final Duration gap;
  private final String runId = "backfill-" + UUID.randomUUID();
  private Instant rawUntil = Instant.now();
  private Duration context;

  /**
   * A backfill.
   *
   * @param settings Flink's keys for the lake's file system
   * @param jobOptions those of the job that writes the lake
   * @throws io.millrace.config.ConfigException when one of them is wrong
   */
  HoursBackfill(
      PrintStream print,
      HourRange hours,
      String root,
      CatalogSpec catalogs,
      Map<String, String> settings,
      List<String> jobOptions) {
    this.print = print;
    this.hours = hours;
    this.root = new Path(root);
    this.catalogs = catalogs;
    this.settings = settings;
    this.arguments =
        new ArrayList<>(
            List.of(
                "--source",
                "raw",
                "--input",
                BackfillPlan.file(this.root, hours).toString(),
                "--lake.root",
                root,
                "--catalog.kind",
                "hive",
                "--catalog.uri",
                catalogs.uri(),
                "--catalog.database",
                catalogs.database(),
                "--job.run-id",
                runId));
    arguments.addAll(jobOptions);
    this.config = EngagementConfig.parse(arguments.toArray(new String[0]));
    this.tables = EngagementPorts.recomputed(config);
    SessionRules sessions = config.sessions().rules();
    this.gap = sessions.gap();
    this.context = sessions.maxDuration().plus(gap);
  }

  /** Raw hours that begin before are read; now, when null. */
  HoursBackfill rawUntil(@Nullable String instant) {
    if (instant != null) {
      try {
        rawUntil = Instant.parse(instant);
      } catch (DateTimeException e) {
        throw new IllegalArgumentException(
            "--raw-until is '" + instant + "', but must be an instant, as 2026-01-06T00:00:00Z", e);
      }
    }
    return this;
  }

  /** How much before the first day is read; the least that will do, when null. */
  HoursBackfill context(@Nullable String duration) {
    if (duration != null) {
      Duration given;
      try {
        given = TimeUtils.parseDuration(duration);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "--context is '" + duration + "', but must be a duration, as '48 h'", e);
      }
      if (given.compareTo(context) < 0) {
        throw new IllegalArgumentException(
            "--context is '" + duration + "', but must be at least " + text(context));
      }
      context = given;
    }
    return this;
  }

  /** Does it; the command's exit code. */
  int run(boolean dry) throws Exception {
    FileSystems.initialize(Configuration.fromMap(settings));
    try (Catalog catalog = catalogs.open()) {
      Optional<BackfillPlan> begun =
          BackfillPlan.read(BackfillPlan.file(root, hours)).filter(p -> p.stage() == Stage.WRITTEN);
      BackfillPlan plan = begun.isPresent() ? begun.get() : newPlan();
      Swap swap = new Swap(root, plan, catalog, ParquetFooter::rows);
      tell(plan);
      refuseObstacles(swap);
      if (dry) {
        print.println("Nothing was changed.");
        return CommandLine.ExitCode.OK;
      }
      if (begun.isPresent()) {
        print.println("Run " + plan.runId() + " had not swapped all of them; going on.");
      } else {
        plan.write(root);
        Backfill.run(toRun(plan), print, settings);
        warnOfOpenChains(plan);
        plan = plan.at(Stage.WRITTEN);
        plan.write(root);
      }
      swap(swap);
      plan.at(Stage.SWAPPED).write(root);
      print.printf(
          "Run %s is what readers of the catalog see; by path they see what was there before.%n",
          plan.runId());
    }
    return CommandLine.ExitCode.OK;
  }

  /** The job over the plan: a session that could have gone on within what is read has ended. */
  private EngagementConfig toRun(BackfillPlan plan) {
    long whole = Math.min(plan.eventsTo(), plan.settledUntil() + gap.toMillis());
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of("--time.input-ends-at", Instant.ofEpochMilli(whole).toString()));
    return EngagementConfig.parse(all.toArray(new String[0]));
  }

  private BackfillPlan newPlan() throws IOException {
    Duration settling = gap.plus(config.time().allowedLateness());
    long settled = rawUntil.minus(settling).toEpochMilli();
    if (hours.end() > settled) {
      throw new IllegalArgumentException(
          "--hours is '"
              + hours
              + "', but only hours that ended by "
              + Instant.ofEpochMilli(settled)
              + " are over: "
              + text(settling)
              + " before --raw-until, "
              + rawUntil);
    }
    long eventsFrom = firstDay().start() - context.toMillis();
    long eventsTo = TimePartition.day(hours.end() - 1).end() + gap.toMillis();
    long rawFrom = TimePartition.hour(eventsFrom - config.rules().maxAhead().toMillis()).start();
    BackfillPlan plan =
        BackfillPlan.of(
            root,
            RawEventTable.SCHEMA,
            rawFrom,
            rawUntil.toEpochMilli(),
            new Window(hours, eventsFrom, eventsTo, settled),
            runId,
            Instant.now().toString());
    if (plan.rawFiles().isEmpty()) {
      throw new IllegalArgumentException(
          "--lake is '"
              + root
              + "', but "
              + RawEventTable.SCHEMA.path()
              + " has no file of the hours from "
              + Instant.ofEpochMilli(rawFrom)
              + " to "
              + rawUntil);
    }
    return plan;
  }

  private TimePartition firstDay() {
    return TimePartition.day(hours.from());
  }

  private void tell(BackfillPlan plan) {
    print.printf(
        Locale.ROOT,
        "Events from %s to %s are read from %,d raw files.%n",
        Instant.ofEpochMilli(plan.eventsFrom()),
        Instant.ofEpochMilli(plan.eventsTo()),
        plan.rawFiles().size());
    for (TableSchema table : tables) {
      List<TimePartition> replaced = plan.partitions(table);
      print.printf(
          Locale.ROOT,
          "%s: %,d partitions are replaced, from %s on%n",
          table.name(),
          replaced.size(),
          replaced.isEmpty() ? "-" : replaced.get(0).path());
      for (TimePartition left : plan.notOver(table)) {
        print.printf("%s: %s is not over and is left as it is%n", table.name(), left.path());
      }
    }
  }

  private void refuseObstacles(Swap swap) throws IOException, CatalogException {
    List<String> obstacles = new ArrayList<>();
    for (TableSchema table : tables) {
      obstacles.addAll(swap.obstacles(table));
    }
    if (!obstacles.isEmpty()) {
      String more = obstacles.size() > 1 ? " (and " + (obstacles.size() - 1) + " more)" : "";
      throw new IOException(obstacles.get(0) + more + "; nothing was changed");
    }
  }

  private void warnOfOpenChains(BackfillPlan plan) throws IOException {
    long users =
        new OpenChains(
                plan.folder(root, AppEventTable.SCHEMA), plan.eventsFrom(), firstDay().start(), gap)
            .count();
    if (users > 0) {
      print.printf(
          Locale.ROOT,
          "Warning: %,d users have no gap of %s from the first events that were read, at %s, up to"
              + " %s: where their sessions begin is not known. A longer --context tells.%n",
          users,
          text(gap),
          Instant.ofEpochMilli(plan.eventsFrom()),
          Instant.ofEpochMilli(firstDay().start()));
    }
  }

  private void swap(Swap swap) throws IOException, CatalogException {
    List<List<String>> rows = new ArrayList<>();
    for (TableSchema table : tables) {
      swap.run(table, swapped -> rows.add(row(swapped)));
    }
    TextTable.print(
        print,
        new Rows(
            List.of("table", "partition", "outcome", "rows before", "rows", "late files"), rows));
  }

  private static List<String> row(Swapped swapped) {
    return List.of(
        swapped.table().name(),
        swapped.partition().path(),
        swapped.outcome().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        String.valueOf(swapped.rowsBefore()),
        String.valueOf(swapped.rows()),
        String.valueOf(swapped.lateFiles()));
  }

  private static String text(Duration duration) {
    return TimeUtils.formatWithHighestUnit(duration);
  }
}
