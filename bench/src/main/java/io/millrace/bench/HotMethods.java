package io.millrace.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;

/** The methods on top of the sampled stacks of a flight recording. */
final class HotMethods {
  private static final int SHOWN = 15;

  private HotMethods() {}

  /** Prints where the samples are, by self time. */
  static void print(PrintStream print, Path recording) throws IOException {
    Map<String, Integer> self = new HashMap<>();
    int samples = 0;
    try (RecordingFile file = new RecordingFile(recording)) {
      while (file.hasMoreEvents()) {
        RecordedEvent event = file.readEvent();
        String kind = event.getEventType().getName();
        RecordedStackTrace stack = event.getStackTrace();
        // Native samples are mostly threads that wait for the network.
        if (!kind.equals("jdk.ExecutionSample") || stack == null || stack.getFrames().isEmpty()) {
          continue;
        }
        samples++;
        self.merge(name(stack.getFrames().get(0)), 1, Integer::sum);
      }
    }
    int all = samples;
    print.printf("Self time in Java code, %d samples:%n", all);
    self.entrySet().stream()
        .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
        .limit(SHOWN)
        .forEach(
            e ->
                print.printf(
                    Locale.ROOT, "%5.1f %%  %s%n", 100.0 * e.getValue() / all, e.getKey()));
  }

  private static String name(RecordedFrame frame) {
    RecordedMethod method = frame.getMethod();
    return method.getType().getName() + "." + method.getName();
  }
}
