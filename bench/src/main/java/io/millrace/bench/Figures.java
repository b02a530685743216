package io.millrace.bench;

import io.millrace.bench.JvmWatch.Reading;
import java.util.Properties;

/**
 * What one run used.
 *
 * @param steady between 20 % and 90 % of the records, when code is compiled and caches are full
 * @param whole from the first record received to the last
 * @param toEnd from the first record received until everything is committed and the job has ended
 */
record Figures(
    Stretch steady,
    Stretch whole,
    Stretch toEnd,
    long heapBytes,
    long checkpoints,
    long checkpointMillis,
    long accepted,
    long duplicates,
    long cacheHits,
    long cacheMisses) {

  /** What a part of a run used. */
  record Stretch(
      long events, double seconds, double cpuSeconds, double compiling, double collecting) {
    static Stretch between(Reading from, Reading to, long events) {
      return new Stretch(
          events,
          (to.nanos() - from.nanos()) / 1e9,
          (to.cpuNanos() - from.cpuNanos()) / 1e9,
          (to.compilerNanos() - from.compilerNanos()) / 1e9,
          (to.collectorNanos() - from.collectorNanos()) / 1e9);
    }

    double cpuMicrosPerEvent() {
      return cpuSeconds / events * 1e6;
    }

    double eventsPerSecond() {
      return events / seconds;
    }

    /** What the JVM's compiler has of the CPU time, in a run that goes on less and less. */
    double compilingMicrosPerEvent() {
      return compiling / events * 1e6;
    }

    double collectingMicrosPerEvent() {
      return collecting / events * 1e6;
    }

    private void put(String name, Properties to) {
      to.setProperty(name + ".events", Long.toString(events));
      to.setProperty(name + ".seconds", Double.toString(seconds));
      to.setProperty(name + ".cpu-seconds", Double.toString(cpuSeconds));
      to.setProperty(name + ".compiling", Double.toString(compiling));
      to.setProperty(name + ".collecting", Double.toString(collecting));
    }

    private static Stretch from(String name, Properties p) {
      return new Stretch(
          Long.parseLong(p.getProperty(name + ".events")),
          Double.parseDouble(p.getProperty(name + ".seconds")),
          Double.parseDouble(p.getProperty(name + ".cpu-seconds")),
          Double.parseDouble(p.getProperty(name + ".compiling")),
          Double.parseDouble(p.getProperty(name + ".collecting")));
    }
  }

  /** Share of the timeline's lookups that its cache answered; NaN where nothing was looked up. */
  double cacheHitPercent() {
    return 100.0 * cacheHits / (cacheHits + cacheMisses);
  }

  Properties toProperties() {
    Properties p = new Properties();
    steady.put("steady", p);
    whole.put("whole", p);
    toEnd.put("to-end", p);
    p.setProperty("heap-bytes", Long.toString(heapBytes));
    p.setProperty("checkpoints", Long.toString(checkpoints));
    p.setProperty("checkpoint-millis", Long.toString(checkpointMillis));
    p.setProperty("accepted", Long.toString(accepted));
    p.setProperty("duplicates", Long.toString(duplicates));
    p.setProperty("cache-hits", Long.toString(cacheHits));
    p.setProperty("cache-misses", Long.toString(cacheMisses));
    return p;
  }

  static Figures from(Properties p) {
    return new Figures(
        Stretch.from("steady", p),
        Stretch.from("whole", p),
        Stretch.from("to-end", p),
        number("heap-bytes", p),
        number("checkpoints", p),
        number("checkpoint-millis", p),
        number("accepted", p),
        number("duplicates", p),
        number("cache-hits", p),
        number("cache-misses", p));
  }

  private static long number(String key, Properties p) {
    return Long.parseLong(p.getProperty(key));
  }
}
