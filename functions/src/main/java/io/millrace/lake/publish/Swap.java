package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.Placement;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.flink.core.fs.Path;

/**
 * Puts what a backfill has written in the place of the partitions that it recomputed, beside a job
 * that goes on writing the table.
 *
 * <p>Per partition: files that the live job has committed and the backfill has not read are copied
 * into the new generation; {@code _GENERATION} and {@code _SUCCESS} are written; the catalog's
 * location is changed, in one call; and what the live job committed meanwhile, when it still saw
 * the former location, is copied too. From then on the live job's publisher copies late files
 * itself. No file of the table is changed or removed. Each step may be repeated: a swap that was
 * interrupted is run again.
 */
public final class Swap {
  private static final String AGAIN =
      ": run the same command again, without --raw-until or with a later one";

  private final Path root;
  private final BackfillPlan plan;
  private final Catalog catalog;
  private final RowCounter rowCounter;

  /** What became of a partition. */
  public enum Outcome {
    /** Readers of the catalog see the new generation. */
    SWAPPED,
    /** They did already. */
    ALREADY,
    /** It had no row before and has none now: there is no partition. */
    NO_ROWS
  }

  /**
   * A partition that was looked at.
   *
   * @param rowsBefore what readers saw before; 0 without a partition
   * @param rows what they see now
   * @param lateFiles files of the live job that were copied, because the backfill had not read them
   */
  public record Swapped(
      TableSchema table,
      TimePartition partition,
      Outcome outcome,
      long rowsBefore,
      long rows,
      int lateFiles) {}

  /**
   * A swap of what a plan tells.
   *
   * @param root the lake's
   */
  public Swap(Path root, BackfillPlan plan, Catalog catalog, RowCounter rowCounter) {
    this.root = root;
    this.plan = plan;
    this.catalog = catalog;
    this.rowCounter = rowCounter;
  }

  /**
   * Why a table's partitions cannot be swapped, a line for each reason: one that the live job has
   * not completed would get rows twice, one that a later backfill has swapped would go back, and
   * those of {@link #mixed} would lack rows.
   */
  public List<String> obstacles(TableSchema table) throws IOException, CatalogException {
    List<String> obstacles = new ArrayList<>();
    Map<TimePartition, RegisteredPartition> registered = registered(table);
    for (TimePartition partition : plan.partitions(table)) {
      RegisteredPartition known = registered.get(partition);
      String name = "partition " + partition.path() + " of table " + table.name();
      if (known == null) {
        if (!Completion.dataFiles(own(table, partition)).isEmpty()) {
          obstacles.add(name + " is not in the catalog: scripts/partitions repair adds it");
        }
        continue;
      }
      Path current = folder(known, table);
      if (SuccessFile.read(current).isEmpty()) {
        obstacles.add(name + " is not complete yet: the job that writes it has to pass its end");
      }
      Optional<GenerationFile> generation = GenerationFile.read(current);
      if (generation.isPresent() && !generation.get().runId().equals(plan.runId())) {
        if (generation.get().plannedAt().compareTo(plan.plannedAt()) > 0) {
          obstacles.add(name + " was recomputed by the later backfill " + generation.get().runId());
        } else if (!plan.coverage().includes(generation.get().coverage())) {
          obstacles.add(
              name
                  + " was recomputed from more of raw by the backfill "
                  + generation.get().runId()
                  + ": --raw-until has to be later");
        }
      }
    }
    for (String mixed : mixed(table)) {
      obstacles.add(mixed + AGAIN);
    }
    return obstacles;
  }

  /**
   * Erasures that had not ended when the plan was made, a line for each: what was computed since
   * may hold rows that they have taken out, and would bring them back.
   */
  public List<String> erasures() throws IOException {
    return ErasureRecord.notEndedBy(Instant.parse(plan.plannedAt()), root).stream()
        .map(
            record ->
                record.endedAt() == null
                    ? "erasure "
                        + record.erasure()
                        + ", begun at "
                        + record.begunAt()
                        + ", has not ended: wait for it, or where it was interrupted run"
                        + " scripts/erase again for the same person"
                    : "erasure "
                        + record.erasure()
                        + " ended at "
                        + record.endedAt()
                        + ", after the backfill had begun to read that person's records")
        .toList();
  }

  /**
   * Files that keep a table's partitions from being swapped and that no later try of the same plan
   * would overcome, a line for each partition: of a file's rows some have been read and others not,
   * so that they would be missing without it, or twice with it.
   */
  public List<String> mixed(TableSchema table) throws IOException {
    List<String> mixed = new ArrayList<>();
    for (TimePartition partition : plan.partitions(table)) {
      Path target = target(table, partition);
      LateFiles.Found found = LateFiles.find(own(table, partition), target, generation(target));
      if (!found.mixed().isEmpty()) {
        mixed.add(mixed(table, partition, found));
      }
    }
    return mixed;
  }

  private static String mixed(TableSchema table, TimePartition partition, LateFiles.Found found) {
    return "partition "
        + partition.path()
        + " of table "
        + table.name()
        + " cannot be swapped: some rows of "
        + found.mixed().get(0)
        + " have been read from raw and others not";
  }

  /** Swaps the partitions of a table that are not swapped yet. */
  public void run(TableSchema table, Consumer<Swapped> progress)
      throws IOException, CatalogException {
    catalog.ensureTable(table, new Path(root, table.path()).toString());
    Map<TimePartition, RegisteredPartition> registered = registered(table);
    for (TimePartition partition : plan.partitions(table)) {
      progress.accept(swap(table, partition, registered.get(partition)));
    }
  }

  private Swapped swap(TableSchema table, TimePartition partition, RegisteredPartition known)
      throws IOException, CatalogException {
    Path own = own(table, partition);
    Path target = target(table, partition);
    boolean already = known != null && known.isAt(target.toString());
    Optional<SuccessFile> before = SuccessFile.read(known == null ? own : folder(known, table));
    if (known == null && Completion.dataFiles(target).isEmpty()) {
      return new Swapped(table, partition, Outcome.NO_ROWS, 0, 0, 0);
    }
    int late = already ? 0 : carry(table, partition, own, target);
    // A partition that is swapped already keeps the generation that it got then.
    long former = before.map(SuccessFile::generation).orElse(0L) - (already ? 1 : 0);
    SuccessFile success = mark(target, former);
    if (known == null) {
      catalog.addPartitions(table, List.of(partition));
    }
    place(table, partition, target, success);
    // A publisher that asked the catalog before has left these to us.
    int meanwhile = carry(table, partition, own, target);
    // One that asked in between has copied, and counted, by itself.
    success = mark(target, meanwhile > 0 ? success.generation() : former);
    place(table, partition, target, success);
    return new Swapped(
        table,
        partition,
        already ? Outcome.ALREADY : Outcome.SWAPPED,
        before.map(SuccessFile::rows).orElse(0L),
        success.rows(),
        late + meanwhile);
  }

  private void place(TableSchema table, TimePartition partition, Path target, SuccessFile success)
      throws CatalogException {
    catalog.place(table, Map.of(partition, new Placement(target.toString(), success.properties())));
  }

  /** Copies what the backfill has not read, and notes what it has; how many files were copied. */
  private int carry(TableSchema table, TimePartition partition, Path own, Path target)
      throws IOException {
    GenerationFile generation = generation(target);
    LateFiles.Found found = LateFiles.find(own, target, generation);
    if (!found.mixed().isEmpty()) {
      throw new IOException(mixed(table, partition, found) + AGAIN);
    }
    LateFiles.copy(found.missing(), target);
    new GenerationFile(
            generation.runId(),
            generation.plannedAt(),
            generation.lastOffsets(),
            new TreeSet<>(found.read()))
        .write(target);
    return found.missing().size();
  }

  /**
   * Counts what a generation's folder holds; one without a file has no rows and is complete too.
   */
  private SuccessFile mark(Path target, long formerGeneration) throws IOException {
    Optional<SuccessFile> counted = SuccessFile.read(target);
    NavigableMap<String, Long> rows = new TreeMap<>();
    for (Path file : Completion.dataFiles(target)) {
      Long known = counted.map(s -> s.fileRows().get(file.getName())).orElse(null);
      rows.put(file.getName(), known == null ? (Long) rowCounter.rows(file) : known);
    }
    if (counted.isPresent()
        && counted.get().fileRows().equals(rows)
        && counted.get().generation() > formerGeneration) {
      return counted.get();
    }
    long last = Math.max(formerGeneration, counted.map(SuccessFile::generation).orElse(0L));
    SuccessFile success =
        new SuccessFile(rows, last + 1, System.currentTimeMillis(), Long.MAX_VALUE);
    success.write(target);
    return success;
  }

  private Map<TimePartition, RegisteredPartition> registered(TableSchema table)
      throws CatalogException {
    Map<TimePartition, RegisteredPartition> registered = new HashMap<>();
    for (RegisteredPartition p : catalog.partitions(table, plan.partitions(table))) {
      registered.put(p.partition(), p);
    }
    return registered;
  }

  private GenerationFile generation(Path target) throws IOException {
    return GenerationFile.read(target)
        .orElse(
            new GenerationFile(
                plan.runId(),
                plan.plannedAt(),
                plan.lastOffsets(),
                Collections.emptyNavigableSet()));
  }

  private Path target(TableSchema table, TimePartition partition) {
    return new Path(plan.folder(root, table), partition.path());
  }

  private Path own(TableSchema table, TimePartition partition) {
    return new Path(root, table.path() + "/" + partition.path());
  }

  /** Where readers look, by the name that this run's file systems know. */
  private Path folder(RegisteredPartition known, TableSchema table) {
    Path own = own(table, known.partition());
    return known.isAt(own.toString()) ? own : new Path(known.location());
  }
}
