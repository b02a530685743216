package io.millrace.bench;

import com.sun.management.GarbageCollectionNotificationInfo;
import com.sun.management.OperatingSystemMXBean;
import java.io.File;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import javax.management.NotificationEmitter;
import javax.management.openmbean.CompositeData;

/**
 * What this JVM has used so far: CPU time, how much of it for compiling and collecting, heap. Only
 * Linux tells the CPU time of the JVM's own threads; elsewhere these stay 0.
 */
final class JvmWatch {
  private static final Path THREADS = Path.of("/proc/self/task");

  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private final AtomicLong mostHeap = new AtomicLong();
  private final Map<String, Long> compilers = new HashMap<>();
  private final Map<String, Long> collectors = new HashMap<>();
  // Threads that have another name for good; reading all of them again costs what is measured.
  private final Set<String> others = new HashSet<>();

  /** What was used up to a moment, in ns. */
  record Reading(long nanos, long cpuNanos, long compilerNanos, long collectorNanos) {}

  /** Begins to follow collections. */
  JvmWatch() {
    Set<String> heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(p -> p.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getName)
            .collect(Collectors.toSet());
    for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
      ((NotificationEmitter) gc)
          .addNotificationListener(
              (notification, unused) -> {
                Map<String, MemoryUsage> after =
                    GarbageCollectionNotificationInfo.from(
                            (CompositeData) notification.getUserData())
                        .getGcInfo()
                        .getMemoryUsageAfterGc();
                long used = 0;
                for (Map.Entry<String, MemoryUsage> pool : after.entrySet()) {
                  used += heap.contains(pool.getKey()) ? pool.getValue().getUsed() : 0;
                }
                mostHeap.accumulateAndGet(used, Math::max);
              },
              null,
              null);
    }
  }

  Reading read() {
    readThreads();
    return new Reading(
        System.nanoTime(), system.getProcessCpuTime(), sum(compilers), sum(collectors));
  }

  private void readThreads() {
    File[] threads = THREADS.toFile().listFiles();
    if (threads == null) {
      return;
    }
    for (File thread : threads) {
      if (others.contains(thread.getName())) {
        continue;
      }
      try {
        String name = Files.readString(thread.toPath().resolve("comm"));
        boolean compiles = name.contains("CompilerThre");
        if (compiles || name.startsWith("GC Thread")) {
          String used = Files.readString(thread.toPath().resolve("schedstat"));
          (compiles ? compilers : collectors)
              .put(thread.getName(), Long.parseLong(used.substring(0, used.indexOf(' '))));
        } else if (!name.startsWith("java") && !name.startsWith("Thread-")) {
          others.add(thread.getName());
        }
      } catch (IOException e) {
        // It ended meanwhile: what was last known of it stays.
      }
    }
  }

  private static long sum(Map<String, Long> threads) {
    return threads.values().stream().mapToLong(n -> n).sum();
  }

  /** Most heap that was still used right after a collection, in bytes. */
  long mostHeapAfterGc() {
    return mostHeap.get();
  }

  /** The most memory that this process ever had, in bytes; 0 where it is not told. */
  static long mostResident() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .findAny()
        .orElse(0);
  }
}
