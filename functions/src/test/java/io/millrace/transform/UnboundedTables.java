package io.millrace.transform;

import io.millrace.transform.column.EventTime;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.ExternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Lowers single entries over streams written in a test, whose watermark follows each row. */
public final class UnboundedTables {
  public final List<Problem> problems = new ArrayList<>();
  private final StreamExecutionEnvironment env;
  private final StreamTableEnvironment tables;
  private final Step.Site site;

  public UnboundedTables(Path dataRoot) {
    Configuration configuration = new Configuration();
    configuration.set(PipelineOptions.AUTO_WATERMARK_INTERVAL, java.time.Duration.ZERO);
    env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    env.setParallelism(1);
    tables = StreamTableEnvironment.create(env);
    tables.getConfig().set("table.local-time-zone", "UTC");
    site =
        new Step.Site(
            "test",
            "run",
            env,
            tables,
            tables.createStatementSet(),
            DataRoot.at(dataRoot),
            false,
            false,
            problems::add);
  }

  StreamTableEnvironment tables() {
    return tables;
  }

  /** A stream of rows; {@code time} is a TIMESTAMP_LTZ(3) column, or null for no event time. */
  public Rows rows(
      List<String> columns, List<DataType> types, @Nullable String time, Object[]... values) {
    List<DataTypes.Field> fields = new ArrayList<>();
    Schema.Builder schema = Schema.newBuilder();
    for (int i = 0; i < columns.size(); i++) {
      fields.add(DataTypes.FIELD(columns.get(i), types.get(i)));
      schema.column(columns.get(i), types.get(i));
    }
    if (time != null) {
      schema.watermark(time, Rows.quote(time) + " - INTERVAL '0.001' SECOND");
    }
    List<Row> rows = new ArrayList<>();
    for (Object[] value : values) {
      rows.add(Row.of(value));
    }
    TypeInformation<Row> type = ExternalTypeInfo.of(DataTypes.ROW(fields));
    DataStream<Row> stream = env.fromData(rows, type);
    return observed(new Rows(tables.fromDataStream(stream, schema.build()), List.of()));
  }

  /** The same rows by way of a stream, as a step gets those of the step before. */
  Rows observed(Rows rows) {
    DataStream<RowData> stream = tables.toDataStream(rows.table(), EventTime.rowType(rows.table()));
    return rows.with(EventTime.ofStream(tables, stream, rows.table()));
  }

  /** The entry's rows; null when it reported {@link #problems}. */
  @Nullable
  public Rows lower(Transform entry, Map<String, ?> arguments, Rows... inputs) {
    Step step = LocalTables.step(entry, arguments, site);
    return entry.lower(step, List.of(inputs));
  }

  /** Runs it as an insert-only stream: the values of each row, in the order in which they came. */
  public List<List<Object>> collect(Rows rows) {
    // Refused where rows are updated, or where there is more than one event time.
    tables.toDataStream(rows.table());
    List<List<Object>> all = new ArrayList<>();
    try (CloseableIterator<Row> iterator = rows.table().execute().collect()) {
      iterator.forEachRemaining(
          row -> all.add(IntStream.range(0, row.getArity()).mapToObj(row::getField).toList()));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return all;
  }
}
