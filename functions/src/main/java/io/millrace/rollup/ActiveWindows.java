package io.millrace.rollup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.StringValue;

/**
 * In which cells a user was counted already: per hour and day that is not over, the combinations of
 * dimension values that the user was seen with. The coarser cells follow from these.
 */
public final class ActiveWindows {
  private static final int FORMAT = 1;

  /** A list of values; the values themselves are mostly shared. */
  private static final int SEEN_WEIGHT = 64;

  private static final int WINDOW_WEIGHT = 80;

  private static final long HOUR_MS = 3_600_000L;
  private static final long DAY_MS = 24 * HOUR_MS;

  final List<Window> windows = new ArrayList<>(2);

  /** Combinations in all windows. */
  private int seen;

  // The last event's values as the event told them, and what became of them: most events repeat
  // these, and a comparison is cheaper than a lookup. Not part of the state.
  @Nullable transient String[] lastRaw;
  @Nullable transient Leaf lastLeaf;
  transient long lastHour = Long.MIN_VALUE;

  /** One window, and what was seen in it. */
  static final class Window {
    final boolean daily;
    final long start;

    /** Grows by {@link ActiveWindows#see} alone. */
    final List<List<String>> seen = new ArrayList<>(1);

    Window(boolean daily, long start) {
      this.daily = daily;
      this.start = start;
    }

    long end() {
      return start + (daily ? DAY_MS : HOUR_MS);
    }
  }

  Window window(boolean daily, long start) {
    for (int i = windows.size() - 1; i >= 0; i--) {
      Window w = windows.get(i);
      if (w.daily == daily && w.start == start) {
        return w;
      }
    }
    Window fresh = new Window(daily, start);
    windows.add(fresh);
    return fresh;
  }

  /** Remembers a combination that is new to a window. */
  void see(Window window, List<String> values) {
    window.seen.add(values);
    seen++;
  }

  /** Combinations in all windows; no window has more. */
  int seen() {
    return seen;
  }

  /**
   * Reads what the next event will be compared with, so many references away from this; the result
   * means nothing.
   */
  public int lookAhead(int depth) {
    return switch (depth) {
      case 0 -> seen;
      case 1 -> windows.size() + (lastRaw == null ? 0 : lastRaw.length);
      case 2 -> lastLeaf == null ? 0 : lastLeaf.lookAhead();
      default -> 0;
    };
  }

  /** Whether nothing is remembered. */
  public boolean isEmpty() {
    return windows.isEmpty();
  }

  /**
   * Forgets the windows that no event can fall into any more: see {@code Sessionize}'s frontier.
   */
  public void expire(long frontier) {
    boolean expired = false;
    for (int i = windows.size() - 1; i >= 0; i--) {
      Window w = windows.get(i);
      if (w.end() <= frontier) {
        seen -= w.seen.size();
        windows.remove(i);
        expired = true;
      }
    }
    if (expired) {
      lastHour = Long.MIN_VALUE;
    }
  }

  /** The frontier at which a window can be forgotten; {@link Long#MAX_VALUE} for never. */
  public long nextExpiry() {
    long next = Long.MAX_VALUE;
    for (Window w : windows) {
      next = Math.min(next, w.end());
    }
    return next;
  }

  /** About how much heap this takes. */
  public int weight() {
    return 64 + WINDOW_WEIGHT * windows.size() + SEEN_WEIGHT * seen;
  }

  /** An independent copy. */
  public ActiveWindows copy() {
    ActiveWindows copy = new ActiveWindows();
    for (Window w : windows) {
      Window same = copy.window(w.daily, w.start);
      w.seen.forEach(values -> copy.see(same, values));
    }
    return copy;
  }

  /** Format 1: the distinct combinations, then the windows with the numbers of theirs. */
  public void write(DataOutputView out) throws IOException {
    Map<List<String>, Integer> all = new LinkedHashMap<>();
    for (Window w : windows) {
      for (List<String> values : w.seen) {
        all.putIfAbsent(values, all.size());
      }
    }
    out.writeByte(FORMAT);
    out.writeInt(all.size());
    for (List<String> values : all.keySet()) {
      out.writeByte(values.size());
      for (String value : values) {
        StringValue.writeString(value, out);
      }
    }
    out.writeInt(windows.size());
    for (Window w : windows) {
      out.writeBoolean(w.daily);
      out.writeLong(w.start);
      out.writeInt(w.seen.size());
      for (List<String> values : w.seen) {
        out.writeInt(all.get(values));
      }
    }
  }

  /** Reads what {@link #write} wrote. */
  public static ActiveWindows read(DataInputView in) throws IOException {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("active windows of format " + format + ", this version reads 1");
    }
    List<List<String>> all = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      String[] values = new String[in.readUnsignedByte()];
      for (int i = 0; i < values.length; i++) {
        values[i] = StringValue.readString(in);
      }
      all.add(List.of(values));
    }
    ActiveWindows active = new ActiveWindows();
    for (int left = in.readInt(); left > 0; left--) {
      Window w = active.window(in.readBoolean(), in.readLong());
      for (int seen = in.readInt(); seen > 0; seen--) {
        active.see(w, all.get(in.readInt()));
      }
    }
    return active;
  }
}
