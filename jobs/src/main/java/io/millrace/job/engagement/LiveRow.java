package io.millrace.job.engagement;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.LiveRollup;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.parquet.RollupTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;

/**
 * The present value of a cell as one flat row, for topic and database alike: what the final table
 * has, but the sketch, with the window's length before it and whether it is final behind it.
 */
final class LiveRow {
  private static final JsonFactory JSON = new JsonFactory();
  private static final String SKETCH = "active_users_hll";
  private static final String START = "window_start";

  private LiveRow() {}

  /**
   * The columns, of which the first two and the dimensions are the cell.
   *
   * @param dimensions their columns
   * @param counters their columns
   */
  static List<Column> columns(List<String> dimensions, List<String> counters) {
    List<Column> table = RollupTable.hourly(dimensions, counters).schema().columns();
    List<Column> columns = new ArrayList<>();
    columns.add(Column.required("window", LakeType.STRING, "hour or day"));
    for (Column column : table) {
      if (column.name().equals(START)) {
        columns.add(1, column);
      } else if (!column.name().equals(SKETCH)) {
        columns.add(column);
      }
    }
    columns.add(Column.required("final", LakeType.BOOLEAN, "true when it does not change again"));
    return columns;
  }

  /** A value for each column, in order: string, instant, long, double, boolean or null. */
  static List<Object> values(LiveRollup live) {
    Cell cell = live.rollup().cell();
    CellCounts counts = live.rollup().counts();
    long[] events = counts.events();
    List<Object> values = new ArrayList<>(cell.values().size() + events.length + 12);
    values.add(window(cell));
    values.add(Instant.ofEpochMilli(cell.start()));
    values.addAll(cell.values());
    for (int i = 0; i < CellCounts.FIXED; i++) {
      values.add(events[i]);
    }
    values.add(counts.notificationCtr());
    values.add(counts.activeUsers());
    values.add(live.rollup().distinctApproximate());
    values.add(counts.sessionsEnded());
    values.add(counts.bouncedSessions());
    values.add(counts.bounceRate());
    values.add(counts.sessionSeconds());
    values.add(counts.avgSessionSeconds());
    for (int i = CellCounts.FIXED; i < events.length; i++) {
      values.add(events[i]);
    }
    values.add(live.isFinal());
    return values;
  }

  /** The row as a JSON object. */
  static byte[] json(List<Column> columns, LiveRollup live) {
    List<Object> values = values(live);
    if (values.size() != columns.size()) {
      throw new IllegalStateException(
          "a cell has " + values.size() + " values for " + columns.size() + " columns");
    }
    return json(columns, values, columns.size());
  }

  /** The cell as a JSON object: window, window_start and dimensions, in this order. */
  static byte[] key(List<Column> columns, LiveRollup live) {
    Cell cell = live.rollup().cell();
    List<Object> values = new ArrayList<>(cell.values());
    values.add(0, window(cell));
    values.add(1, Instant.ofEpochMilli(cell.start()));
    return json(columns, values, values.size());
  }

  private static String window(Cell cell) {
    return cell.daily() ? "day" : "hour";
  }

  private static byte[] json(List<Column> columns, List<Object> values, int count) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(512);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      for (int i = 0; i < count; i++) {
        json.writeFieldName(columns.get(i).name());
        write(values.get(i), json);
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void write(@Nullable Object value, JsonGenerator json) throws IOException {
    if (value == null) {
      json.writeNull();
    } else if (value instanceof Long number) {
      json.writeNumber(number);
    } else if (value instanceof Double number) {
      json.writeNumber(number);
    } else if (value instanceof Boolean truth) {
      json.writeBoolean(truth);
    } else {
      json.writeString(value.toString());
    }
  }
}
