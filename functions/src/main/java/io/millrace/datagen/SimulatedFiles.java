package io.millrace.datagen;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Writes simulated records as JSON lines, the input of a job's bounded mode. */
public final class SimulatedFiles {
  private SimulatedFiles() {}

  /**
   * Writes {@code <dir>/<topic>/part-0000.jsonl} and so on, one value per line. Values that cannot
   * be a line of their own (null, empty, or holding a line break) are left out, also of the truth.
   *
   * @return the truth about the files, whose hours are those of {@code received_at}
   */
  public static Truth write(SimulatorOptions options, Path dir, long maxRecordsPerFile)
      throws IOException {
    Truth.Tally tally = new Truth.Tally();
    Map<String, Part> parts = new HashMap<>();
    try {
      EngagementSimulator simulator = new EngagementSimulator(options);
      while (simulator.hasNext()) {
        SimulatedRecord sent = simulator.next();
        byte[] value = sent.value();
        if (value == null || value.length == 0 || holdsLineBreak(value)) {
          continue;
        }
        Part part = parts.get(sent.topic());
        if (part == null || part.records == maxRecordsPerFile) {
          part = Part.after(part, dir.resolve(sent.topic()));
          parts.put(sent.topic(), part);
        }
        part.records++;
        part.out.write(value);
        part.out.write('\n');
        tally.add(sent, sent.fate().boundedTime());
      }
    } finally {
      for (Part part : parts.values()) {
        part.out.close();
      }
    }
    return tally.truth();
  }

  private static boolean holdsLineBreak(byte[] value) {
    for (byte b : value) {
      if (b == '\n' || b == '\r') {
        return true;
      }
    }
    return false;
  }

  private static final class Part {
    private final int number;
    private final OutputStream out;
    private long records;

    private Part(int number, OutputStream out) {
      this.number = number;
      this.out = out;
    }

    static Part after(Part before, Path dir) throws IOException {
      int number = 0;
      if (before == null) {
        Files.createDirectories(dir);
      } else {
        before.out.close();
        number = before.number + 1;
      }
      Path file = dir.resolve(String.format(Locale.ROOT, "part-%04d.jsonl", number));
      return new Part(number, new BufferedOutputStream(Files.newOutputStream(file), 1 << 16));
    }
  }
}
