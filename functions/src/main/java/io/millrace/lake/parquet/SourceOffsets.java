package io.millrace.lake.parquet;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.event.Origin;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** The range of offsets per source partition among the rows of a file. */
final class SourceOffsets {
  private static final JsonFactory JSON = new JsonFactory();
  private static final long[] NONE = {};

  private final Map<String, Ranges> byTopic = new TreeMap<>();
  private String lastTopic = "";
  private Ranges last = new Ranges();

  void add(Origin origin) {
    if (!origin.topic().equals(lastTopic)) {
      lastTopic = origin.topic();
      last = byTopic.computeIfAbsent(lastTopic, t -> new Ranges());
    }
    last.add(origin.partition(), origin.offset());
  }

  /** The reverse of {@link #json()}. */
  static Map<String, OffsetRange> parse(String json) throws IOException {
    Map<String, OffsetRange> ranges = new TreeMap<>();
    new ObjectMapper()
        .readTree(json)
        .properties()
        .forEach(
            e ->
                ranges.put(
                    e.getKey(),
                    new OffsetRange(e.getValue().get(0).asLong(), e.getValue().get(1).asLong())));
    return ranges;
  }

  /** {@code {"install-0":[12,99]}}, by topic and partition. */
  String json() throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      for (Map.Entry<String, Ranges> topic : byTopic.entrySet()) {
        topic.getValue().write(topic.getKey(), json);
      }
      json.writeEndObject();
    }
    return out.toString();
  }

  /** Least and greatest offset of partition p at 2p and 2p + 1. */
  private static final class Ranges {
    private long[] bounds = NONE;

    void add(int partition, long offset) {
      int at = 2 * partition;
      if (at >= bounds.length) {
        grow(at + 2);
      }
      bounds[at] = Math.min(bounds[at], offset);
      bounds[at + 1] = Math.max(bounds[at + 1], offset);
    }

    private void grow(int length) {
      int from = bounds.length;
      bounds = Arrays.copyOf(bounds, length);
      for (int i = from; i < length; i += 2) {
        bounds[i] = Long.MAX_VALUE;
        bounds[i + 1] = Long.MIN_VALUE;
      }
    }

    void write(String topic, JsonGenerator json) throws IOException {
      for (int i = 0; i < bounds.length; i += 2) {
        if (bounds[i] <= bounds[i + 1]) {
          json.writeFieldName(topic + "-" + i / 2);
          json.writeArray(bounds, i, 2);
        }
      }
    }
  }
}
