package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogFactory;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.apache.flink.core.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers and completes the partitions of one table on a thread of its own, the only one that
 * calls the catalog and lists folders: an outage of either makes work wait here and nothing else.
 *
 * <p>Registration goes first. A partition that is due gets its {@code _SUCCESS} file even while the
 * catalog is down, and the properties when it is back. Each step may be repeated at any time.
 */
final class Publisher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Publisher.class);

  /** Beyond it, a partition is registered again when it gets a file, which changes nothing. */
  private static final int REMEMBERED = 10_000;

  private static final Duration LAST_WRITE = Duration.ofSeconds(2);

  private final TableSchema table;
  private final String location;
  private final CatalogFactory catalogs;
  private final Completion completion;
  private final CompleteMarks marks;
  private final PublishSettings settings;
  private final PublishMetrics metrics;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private final TreeMap<TimePartition, Entry> open =
      new TreeMap<>((a, b) -> Long.compare(a.start(), b.start()));
  private final Map<TimePartition, Boolean> registered = new Remembered();
  private final Retry catalogRetry;
  private long watermark = Long.MIN_VALUE;
  private boolean working;
  private boolean finishing;
  private boolean stopped;
  private boolean refused;
  private Thread thread;
  private Catalog catalog;

  // Used by the thread alone.
  /** Whether nothing has failed since partitions were last added. */
  private boolean undisturbed;

  private String lastRefusal = "";

  /** The partition's way from its first file to its completion. */
  private static final class Entry {
    private final long since;
    private final Retry retry;
    private boolean registered;

    /** Rises with each report, so that a file that comes during a step is not passed over. */
    private long reports = 1;

    private long completedReports;
    private SuccessFile success;

    private Entry(long since, Retry retry, boolean registered) {
      this.since = since;
      this.retry = retry;
      this.registered = registered;
    }

    private boolean completed() {
      return completedReports == reports;
    }
  }

  /** When a failed step may be tried again. */
  private final class Retry {
    private long delayMillis;
    private long notBefore = System.nanoTime();

    private boolean ripe(long now) {
      return now - notBefore >= 0;
    }

    private long failed(boolean retryable) {
      long longest = (finishing ? settings.firstRetry() : settings.longestRetry()).toMillis();
      delayMillis = Math.max(2 * delayMillis, settings.firstRetry().toMillis());
      delayMillis = retryable ? Math.min(delayMillis, longest) : longest;
      notBefore = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMillis);
      return delayMillis;
    }

    private void reset() {
      delayMillis = 0;
      notBefore = System.nanoTime();
    }
  }

  private static final class Remembered extends LinkedHashMap<TimePartition, Boolean> {
    @Override
    protected boolean removeEldestEntry(Map.Entry<TimePartition, Boolean> eldest) {
      return size() > REMEMBERED;
    }
  }

  private interface Step {
    void run() throws CatalogException, IOException;
  }

  Publisher(
      TableSchema table,
      Path base,
      String location,
      CatalogFactory catalogs,
      RowCounter rowCounter,
      PublishSettings settings,
      PublishMetrics metrics) {
    this.table = table;
    this.location = location;
    this.catalogs = catalogs;
    this.completion = new Completion(base, rowCounter);
    this.marks = new CompleteMarks(table, base, location, completion);
    this.settings = settings;
    this.metrics = metrics;
    this.catalogRetry = new Retry();
  }

  /** Takes up what an earlier run left; before {@link #start}. */
  void restore(Iterable<OpenPartition> partitions) {
    for (OpenPartition p : partitions) {
      open.put(
          new TimePartition(p.start(), table.granularity()),
          new Entry(p.since(), new Retry(), p.registered()));
    }
  }

  void start(String name, ClassLoader loader) {
    catalog = catalogs.open();
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(loader);
    thread.start();
  }

  /** A file was committed to the partition. */
  void add(TimePartition partition) {
    lock.lock();
    try {
      Entry entry = open.get(partition);
      if (entry != null) {
        entry.reports++;
      } else if (settings.complete() || !registered.containsKey(partition)) {
        open.put(
            partition,
            new Entry(System.currentTimeMillis(), new Retry(), registered.containsKey(partition)));
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Every row up to the watermark is in committed files whose partitions were added. */
  void advance(long newWatermark) {
    lock.lock();
    try {
      if (newWatermark > watermark) {
        watermark = newWatermark;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** What {@link #advance} was last told; {@link Long#MIN_VALUE} when nothing. */
  long watermark() {
    lock.lock();
    try {
      return watermark;
    } finally {
      lock.unlock();
    }
  }

  /** What a restart has to take up. */
  List<OpenPartition> open() {
    lock.lock();
    try {
      List<OpenPartition> list = new ArrayList<>(open.size());
      open.forEach((p, e) -> list.add(new OpenPartition(p.start(), e.registered, e.since)));
      return list;
    } finally {
      lock.unlock();
    }
  }

  /** Partitions with files that the catalog does not have yet. */
  int unregistered() {
    lock.lock();
    try {
      return (int) open.values().stream().filter(e -> !e.registered).count();
    } finally {
      lock.unlock();
    }
  }

  /** Partitions that the watermark has passed and that are not fully marked yet. */
  int due() {
    lock.lock();
    try {
      return (int) open.keySet().stream().filter(this::isDue).count();
    } finally {
      lock.unlock();
    }
  }

  /** Seconds since the first file of the longest unregistered partition; 0 without one. */
  long oldestUnregisteredSeconds() {
    lock.lock();
    try {
      long now = System.currentTimeMillis();
      return open.values().stream()
          .filter(e -> !e.registered)
          .mapToLong(e -> Math.max(0, now - e.since) / 1000)
          .max()
          .orElse(0);
    } finally {
      lock.unlock();
    }
  }

  /** Whether the catalog's last answer was a refusal that no retry changes. */
  boolean refused() {
    lock.lock();
    try {
      return refused;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until nothing is left to do, no longer than the timeout or while told to go on. */
  boolean finish(Duration timeout, BooleanSupplier goOn) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    lock.lock();
    try {
      finishing = true;
      refused = false;
      catalogRetry.reset();
      open.values().forEach(e -> e.retry.reset());
      changed.signalAll();
      while (working || open.values().stream().anyMatch(e -> !e.registered) || anyDue()) {
        long left = deadline - System.nanoTime();
        if (left <= 0 || !goOn.getAsBoolean() || (refused && !working && !anyUncounted())) {
          return false;
        }
        // Nothing signals that the task was cancelled.
        long unused = changed.awaitNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)));
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private boolean stopped() {
    lock.lock();
    try {
      return stopped;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Stops at once: a call in progress is broken off. Waits a moment for the thread, lest it writes
   * while a restarted job does; it ends by itself in any case.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      stopped = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (thread != null) {
      catalog.close();
      thread.interrupt();
      try {
        thread.join(LAST_WRITE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run() {
    try {
      for (Step step = next(); step != null; step = next()) {
        try {
          step.run();
        } catch (RuntimeException | Error e) {
          // Without this thread no partition would be published any more.
          LOG.error("Publishing of table {} failed as it should not, and goes on", table.name(), e);
          LockSupport.parkNanos(settings.firstRetry().toNanos());
        } finally {
          done();
        }
      }
    } catch (InterruptedException | CatalogException | IOException e) {
      // Only a stop interrupts, and each step deals with its own failures.
      LOG.debug("publishing of table {} stopped", table.name(), e);
    }
  }

  private void done() {
    lock.lock();
    try {
      working = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the next step; null when stopped. */
  private Step next() throws InterruptedException {
    lock.lock();
    try {
      while (!stopped) {
        Step step = choose(System.nanoTime());
        if (step != null) {
          working = true;
          return step;
        }
        long wait = nanosToNextRetry();
        if (wait == Long.MAX_VALUE) {
          changed.await();
        } else if (wait > 0) {
          long unused = changed.awaitNanos(wait);
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  private Step choose(long now) {
    if (catalogRetry.ripe(now)) {
      List<TimePartition> missing = new ArrayList<>();
      Map<TimePartition, SuccessFile> unmarked = new LinkedHashMap<>();
      open.forEach(
          (partition, entry) -> {
            if (!entry.registered) {
              missing.add(partition);
            } else if (entry.success != null) {
              unmarked.put(partition, entry.success);
            }
          });
      if (!missing.isEmpty()) {
        return () -> register(missing);
      }
      if (!unmarked.isEmpty()) {
        return () -> mark(unmarked);
      }
    }
    for (Map.Entry<TimePartition, Entry> e : open.entrySet()) {
      if (isDue(e.getKey()) && !e.getValue().completed() && e.getValue().retry.ripe(now)) {
        return () -> complete(e.getKey());
      }
    }
    return null;
  }

  private long nanosToNextRetry() {
    long now = System.nanoTime();
    long wait = Long.MAX_VALUE;
    for (Map.Entry<TimePartition, Entry> e : open.entrySet()) {
      Entry entry = e.getValue();
      if (!entry.registered || entry.success != null) {
        wait = Math.min(wait, catalogRetry.notBefore - now);
      }
      if (isDue(e.getKey()) && !entry.completed()) {
        wait = Math.min(wait, entry.retry.notBefore - now);
      }
    }
    return wait;
  }

  private boolean anyUncounted() {
    return open.entrySet().stream().anyMatch(e -> isDue(e.getKey()) && !e.getValue().completed());
  }

  private boolean anyDue() {
    return open.keySet().stream().anyMatch(this::isDue);
  }

  private boolean isDue(TimePartition partition) {
    return settings.complete()
        && watermark >= partition.end() + settings.completeAfter().toMillis();
  }

  private void register(List<TimePartition> missing) {
    try {
      addToCatalog(missing);
    } catch (CatalogException | RuntimeException | LinkageError e) {
      failed("register " + missing.size() + " partitions of", e);
      return;
    }
    metrics.registered(missing.size());
    lock.lock();
    try {
      catalogAnswered();
      for (TimePartition partition : missing) {
        registered.put(partition, true);
        open.get(partition).registered = true;
        if (!settings.complete()) {
          open.remove(partition);
        }
      }
    } finally {
      lock.unlock();
    }
    LOG.info("registered {} partitions of table {}", missing.size(), table.name());
  }

  private void addToCatalog(Collection<TimePartition> partitions) throws CatalogException {
    // Each time: in a table that somebody has put in its place nobody would find the files.
    catalog.ensureTable(table, location);
    catalog.addPartitions(table, partitions);
    undisturbed = true;
  }

  private void mark(Map<TimePartition, SuccessFile> unmarked) {
    try {
      if (!undisturbed) {
        // After a failure: table or partitions may have been dropped behind our back.
        addToCatalog(unmarked.keySet());
      }
      marks.set(catalog, unmarked, this::stopped);
    } catch (CatalogException | IOException | RuntimeException | LinkageError e) {
      failed("mark " + unmarked.size() + " complete partitions of", e);
      return;
    }
    metrics.completed(unmarked.size());
    lock.lock();
    try {
      catalogAnswered();
      for (TimePartition partition : unmarked.keySet()) {
        Entry entry = open.get(partition);
        entry.success = null;
        if (entry.completed()) {
          open.remove(partition);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void complete(TimePartition partition) {
    Entry entry;
    long reports;
    long reached;
    lock.lock();
    try {
      entry = open.get(partition);
      reports = entry.reports;
      reached = watermark;
    } finally {
      lock.unlock();
    }
    Optional<SuccessFile> success;
    try {
      success = completion.complete(partition, reached, this::stopped);
    } catch (IOException | RuntimeException | LinkageError e) {
      metrics.completionFailed();
      lock.lock();
      try {
        long delay = entry.retry.failed(true);
        if (!stopped) {
          LOG.warn(
              "cannot complete partition {} of table {}, next try in {} ms",
              partition.path(),
              table.name(),
              delay,
              e);
        }
      } finally {
        lock.unlock();
      }
      return;
    }
    lock.lock();
    try {
      entry.retry.reset();
      entry.completedReports = reports;
      entry.success = success.orElse(null);
      if (entry.success == null && entry.completed()) {
        // The folder is gone, by retention or by hand: there is nothing left to vouch for.
        open.remove(partition);
      }
    } finally {
      lock.unlock();
    }
  }

  private void catalogAnswered() {
    catalogRetry.reset();
    refused = false;
    lastRefusal = "";
  }

  private void failed(String what, Throwable failure) {
    metrics.registrationFailed();
    // The table may be gone as well.
    undisturbed = false;
    boolean retryable = !(failure instanceof CatalogException e) || e.retryable();
    lock.lock();
    try {
      long delay = catalogRetry.failed(retryable);
      refused = !retryable;
      if (stopped) {
        return;
      }
      if (retryable) {
        LOG.warn(
            "cannot {} table {}, next try in {} ms: {}",
            what,
            table.name(),
            delay,
            failure.getMessage());
        LOG.debug("the failure", failure);
      } else if (!lastRefusal.equals(failure.getMessage())) {
        lastRefusal = failure.getMessage();
        LOG.error(
            "the catalog refuses table {}: {}. Files are written on; their partitions are"
                + " registered once this is settled",
            table.name(),
            lastRefusal);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The partitions that are not registered, for the error at the end of a job. */
  Collection<TimePartition> missing() {
    lock.lock();
    try {
      return open.entrySet().stream()
          .filter(e -> !e.getValue().registered)
          .map(Map.Entry::getKey)
          .toList();
    } finally {
      lock.unlock();
    }
  }
}
