package io.millrace.transform;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.runtime.typeutils.ExternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Lowers single entries over rows written in a test, and runs them in batch mode, in process. */
public final class LocalTables {
  private static final ObjectMapper JSON = new ObjectMapper();

  public final List<Problem> problems = new ArrayList<>();
  private final StreamExecutionEnvironment env;
  private final StreamTableEnvironment tables;
  private final Step.Site site;

  /** A cluster that the jobs of a test class share, so that each need not start its own. */
  public static MiniClusterResourceConfiguration cluster() {
    return new MiniClusterResourceConfiguration.Builder()
        .setNumberTaskManagers(1)
        .setNumberSlotsPerTaskManager(8)
        .build();
  }

  public LocalTables(Path dataRoot) {
    Configuration configuration = new Configuration();
    configuration.set(ExecutionOptions.RUNTIME_MODE, RuntimeExecutionMode.BATCH);
    env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    env.setParallelism(2);
    tables = StreamTableEnvironment.create(env);
    site =
        new Step.Site(
            "test",
            "run",
            env,
            tables,
            tables.createStatementSet(),
            DataRoot.at(dataRoot),
            true,
            false,
            problems::add);
  }

  /** Rows in the order given, as an extract makes them. */
  public Rows rows(List<String> columns, List<DataType> types, Object[]... values) {
    List<DataTypes.Field> fields = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      fields.add(DataTypes.FIELD(columns.get(i), types.get(i)));
    }
    fields.add(DataTypes.FIELD(Rows.orderColumn(0), DataTypes.BIGINT().notNull()));
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      Object[] row = Arrays.copyOf(values[i], columns.size() + 1);
      row[columns.size()] = (long) i;
      rows.add(Row.of(row));
    }
    // A stream, as every step gets its rows: the planner knows no value of them.
    DataType type = DataTypes.ROW(fields).notNull();
    Table table = tables.fromDataStream(env.fromData(rows, ExternalTypeInfo.of(type)));
    return new Rows(table, List.of(Rows.orderColumn(0)));
  }

  /** A step with these arguments; what has a default and is not given gets it. */
  public Step step(Transform entry, Map<String, ?> arguments) {
    return step(entry, arguments, site);
  }

  static Step step(Transform entry, Map<String, ?> arguments, Step.Site site) {
    Map<String, JsonNode> values = new LinkedHashMap<>();
    for (Parameter parameter : entry.declaration().parameters()) {
      Object value = arguments.get(parameter.name());
      if (value == null) {
        value = parameter.fallback();
      }
      if (value != null) {
        values.put(parameter.name(), JSON.valueToTree(value));
      }
    }
    return new Step("step", entry.declaration().service(), new Arguments(values), site);
  }

  /** The entry's rows; null when it reported {@link #problems}. */
  @Nullable
  public Rows lower(Transform entry, Map<String, ?> arguments, Rows... inputs) {
    return entry.lower(step(entry, arguments), List.of(inputs));
  }

  /** Runs it: the visible values of each row, in the rows' order. */
  public static List<List<Object>> collect(Rows rows) {
    List<Row> all = new ArrayList<>();
    try (CloseableIterator<Row> iterator = rows.table().execute().collect()) {
      iterator.forEachRemaining(all::add);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    List<String> names = rows.table().getResolvedSchema().getColumnNames();
    all.sort(
        (a, b) -> {
          for (String column : rows.order()) {
            int i = names.indexOf(column);
            Long x = (Long) a.getField(i);
            Long y = (Long) b.getField(i);
            int order =
                Long.compare(x == null ? Long.MAX_VALUE : x, y == null ? Long.MAX_VALUE : y);
            if (order != 0) {
              return order;
            }
          }
          return 0;
        });
    List<String> visible = rows.columns();
    return all.stream().map(row -> visible.stream().map(row::getField).toList()).toList();
  }
}
