package io.millrace.local;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.parquet.SessionTable;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.lake.publish.BackfillPlan.Stage;
import io.millrace.lake.publish.BackfillPlan.Window;
import io.millrace.lake.publish.HourRange;
import io.millrace.lake.publish.Swap;
import io.millrace.lake.publish.Swap.Swapped;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.Widening.Widened;
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
      Optional<BackfillPlan> begun = begun(catalog);
      BackfillPlan plan = begun.isPresent() ? begun.get() : newPlan();
      Swap swap = swapOf(plan, catalog);
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
        // An erasure that begins from now on sees the plan: one of the two sees the other.
        refuseErasures(swap, plan);
        Backfill.run(toRun(plan), print, settings);
        warnOfOpenChains(plan);
        refuseOverlooked(plan);
        plan = widened(plan, catalog);
        refuseGivenUp(plan);
        refuseErasures(swap, plan);
        plan = plan.at(Stage.WRITTEN);
        plan.write(root);
        swap = swapOf(plan, catalog);
        // The live job went on meanwhile.
        refuseObstacles(swap);
      }
      swap(swap);
      plan.at(Stage.SWAPPED).write(root);
      print.printf(
          "Run %s is what readers of the catalog see; by path they see what was there before.%n",
          plan.runId());
    }
    return CommandLine.ExitCode.OK;
  }

  /** Gives up what an earlier run has begun and not swapped; the command's exit code. */
  int giveUp() throws Exception {
    FileSystems.initialize(Configuration.fromMap(settings));
    BackfillPlan plan =
        BackfillPlan.read(BackfillPlan.file(root, hours))
            .filter(p -> p.stage() != Stage.SWAPPED)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "--give-up: there is no backfill of "
                            + hours
                            + " in "
                            + root
                            + " that has begun and not ended"));
    plan.giveUp(root);
    print.printf("Run %s, planned at %s, is given up.%n", plan.runId(), plan.plannedAt());
    if (plan.stage() == Stage.WRITTEN) {
      print.println(
          "It was ready to be swapped, and some of its partitions may be: recompute these hours soon."
              + " scripts/partitions clean-generations removes what no reader is sent to.");
    }
    return CommandLine.ExitCode.OK;
  }

  /** What an earlier run has written and not swapped, if it can be swapped still. */
  private Optional<BackfillPlan> begun(Catalog catalog) throws IOException {
    Optional<BackfillPlan> begun =
        BackfillPlan.read(BackfillPlan.file(root, hours)).filter(p -> p.stage() == Stage.WRITTEN);
    if (begun.isPresent()) {
      Swap swap = swapOf(begun.get(), catalog);
      List<String> reasons = new ArrayList<>(swap.erasures());
      for (TableSchema table : tables) {
        reasons.addAll(swap.mixed(table));
      }
      if (!reasons.isEmpty()) {
        print.printf(
            "What run %s has written is of no use any more and is computed anew: %s.%n",
            begun.get().runId(), reasons.get(0));
        return Optional.empty();
      }
    }
    return begun;
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
    long rawFrom = rawFrom(eventsFrom);
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

  private long rawFrom(long eventsFrom) {
    return TimePartition.hour(eventsFrom - config.rules().maxAhead().toMillis()).start();
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

  /**
   * Takes in the hours beside, whose sessions are not what was published: those that are over, and
   * in the days for which everything was read. Others are named in a warning.
   */
  private BackfillPlan widened(BackfillPlan plan, Catalog catalog)
      throws IOException, CatalogException {
    if (!config.sessions().enabled()) {
      return plan;
    }
    SessionBorder border =
        new SessionBorder(
            plan.folder(root, SessionTable.SCHEMA),
            hour -> publishedSessions(hour, catalog),
            plan.eventsFrom(),
            plan.eventsTo(),
            plan.settledUntil(),
            config.sessions().rules());
    Widened widened =
        new Widening(
                hours,
                firstDay().start(),
                Math.min(TimePartition.day(hours.end() - 1).end(), plan.settledUntil()),
                border::touched,
                wider -> obstacles(swapOf(plan.publishing(wider), catalog)))
            .run();
    widened.tell(print);
    return plan.publishing(widened.published());
  }

  private List<Path> publishedSessions(TimePartition hour, Catalog catalog) throws IOException {
    try {
      Optional<RegisteredPartition> partition = catalog.partition(SessionTable.SCHEMA, hour);
      if (partition.isEmpty()) {
        return List.of();
      }
      // The catalog may know the file system by another name.
      Path own = new Path(root, SessionTable.SCHEMA.path() + "/" + hour.path());
      return OpenChains.dataFiles(
          partition.get().isAt(own.toString()) ? own : new Path(partition.get().location()));
    } catch (CatalogException e) {
      throw new IOException("the catalog does not tell where sessions of " + hour + " are", e);
    }
  }

  private Swap swapOf(BackfillPlan plan, Catalog catalog) {
    return new Swap(root, plan, catalog, ParquetFooter::rows);
  }

  private List<String> obstacles(Swap swap) throws IOException, CatalogException {
    List<String> obstacles = new ArrayList<>(swap.erasures());
    for (TableSchema table : tables) {
      obstacles.addAll(swap.obstacles(table));
    }
    return obstacles;
  }

  private void refuseObstacles(Swap swap) throws IOException, CatalogException {
    List<String> obstacles = obstacles(swap);
    if (!obstacles.isEmpty()) {
      String more = obstacles.size() > 1 ? " (and " + (obstacles.size() - 1) + " more)" : "";
      throw new IOException(obstacles.get(0) + more + "; nothing was changed");
    }
  }

  private void refuseGivenUp(BackfillPlan plan) throws IOException {
    if (!plan.stands(root)) {
      plan.giveUp(root);
      throw new IOException(
          "run "
              + plan.runId()
              + " was given up, or another one was begun for "
              + hours
              + ", while it was at work; nothing was changed");
    }
  }

  /** What was computed beside an erasure goes with the plan, lest it keep the person. */
  private void refuseErasures(Swap swap, BackfillPlan plan) throws IOException {
    List<String> erasures = swap.erasures();
    if (!erasures.isEmpty()) {
      plan.giveUp(root);
      throw new IOException(
          erasures.get(0) + "; nothing was changed, and the same command computes anew");
    }
  }

  private void refuseOverlooked(BackfillPlan plan) throws IOException {
    List<Path> overlooked = plan.overlooked(root, RawEventTable.SCHEMA, rawFrom(plan.eventsFrom()));
    if (!overlooked.isEmpty()) {
      throw new IOException(
          overlooked.get(0)
              + " was being committed when raw files were listed, and is not read; run the same"
              + " command again; nothing was changed");
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
