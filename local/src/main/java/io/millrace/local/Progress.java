package io.millrace.local;

import java.io.PrintStream;
import java.util.Locale;

/** Says how far a long step is: at most once a second on a line of its own. */
public final class Progress {
  private static final long EVERY_NANOS = 1_000_000_000L;

  private final PrintStream print;
  private final String verb;
  private final long total;
  private final long begin = System.nanoTime();
  private long last = begin;
  private long reached;

  /** Starts the clock. */
  public Progress(PrintStream print, String verb, long total) {
    this.print = print;
    this.verb = verb;
    this.total = total;
  }

  /** Says how far it is. */
  public void at(long count) {
    at(count, "");
  }

  /** Says how far it is, and what else there is to say. */
  void at(long count, String note) {
    reached = count;
    long now = System.nanoTime();
    if (now - last >= EVERY_NANOS) {
      last = now;
      line(note);
    }
  }

  public void done() {
    double seconds = (System.nanoTime() - begin) / 1e9;
    line(String.format(Locale.ROOT, " in %.1f s", seconds));
  }

  private void line(String end) {
    print.printf(Locale.ROOT, "%-8s %,11d of %,d%s%n", verb, reached, total, end);
  }
}
