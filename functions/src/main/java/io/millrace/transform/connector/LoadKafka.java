package io.millrace.transform.connector;

import io.millrace.transform.Arguments;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.utils.TypeConversions;

/** {@code load_kafka}: a record for each row. */
public final class LoadKafka implements Transform {
  private static final String EXACTLY_ONCE = "exactly_once";

  /** A broker keeps an open transaction for at most 15 minutes, unless told otherwise. */
  private static final Duration TRANSACTION_TIMEOUT = Duration.ofMinutes(14);

  private static final Declaration DECLARATION =
      new Declaration(
          "load_kafka",
          Kind.LOAD,
          Inputs.ONE,
          "Writes a Kafka topic, a record for each row.",
          List.of(
              TopicTables.topic(),
              TopicTables.bootstrapServers(),
              TopicTables.format(),
              Parameter.columns("key")
                  .doc(
                      "Columns that make the record's key, by which it gets its partition: the text"
                          + " of a single STRING, else a JSON object. They are in the value too."
                          + " Records have no key where none is named."),
              Parameter.text("guarantee")
                  .oneOf(EXACTLY_ONCE, "at_least_once")
                  .defaultTo(EXACTLY_ONCE)
                  .doc(
                      "exactly_once writes in transactions, which are committed with each"
                          + " checkpoint: consumers have to read with isolation.level"
                          + " read_committed. at_least_once has no such delay, and repeats records"
                          + " after a failure."),
              Parameter.text("transactional_id_prefix")
                  .doc(
                      "Begins the ids of transactions; PIPELINE-STEP unless given. It must stay the"
                          + " same across restarts, and no other running pipeline may have it."),
              TopicTables.properties()),
          List.of(
              """
              pipeline:
                name: orders
                steps:
                  - id: read
                    service: extract_csv
                    params: {file_path: orders.csv}
                  - id: save
                    service: load_kafka
                    params: {topic: orders, bootstrap_servers: localhost:9092, key: [id]}
                    depends_on: [read]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    Rows rows = inputs.get(0);
    Arguments arguments = step.arguments();
    boolean exactlyOnce = arguments.text("guarantee").equals(EXACTLY_ONCE);
    Map<String, String> defaults = new LinkedHashMap<>();
    if (exactlyOnce) {
      defaults.put("transaction.timeout.ms", Long.toString(TRANSACTION_TIMEOUT.toMillis()));
    }
    TableDescriptor.Builder table = TopicTables.descriptor(step, defaults);
    List<String> key = List.copyOf(new LinkedHashSet<>(arguments.texts("key")));
    if (table == null || !ColumnTexts.areThere(step, "key", key, rows)) {
      return null;
    }
    if (key.isEmpty()) {
      TopicTables.format(table, "", arguments.text("format"), false);
    } else if (!keyed(step, table, key, rows)) {
      return null;
    }
    table.option("sink.delivery-guarantee", exactlyOnce ? "exactly-once" : "at-least-once");
    if (exactlyOnce) {
      table.option(
          "sink.transactional-id-prefix",
          arguments
              .optionalText("transactional_id_prefix")
              .orElse(step.site().pipeline() + "-" + step.id()));
    } else if (arguments.has("transactional_id_prefix")) {
      step.warn(
          "transactional_id_prefix",
          "transactional_id_prefix is not used: guarantee is at_least_once");
    }
    step.insert(table.schema(schema(rows)).build(), visible(step, rows));
    step.fact("topic", arguments.text("topic"));
    return null;
  }

  private static boolean keyed(
      Step step, TableDescriptor.Builder table, List<String> key, Rows rows) {
    for (String column : key) {
      if (column.contains(";")) {
        step.error("key", "key has '" + column + "', but such a column must not have a semicolon");
        return false;
      }
    }
    boolean text = key.size() == 1 && ColumnKind.of(rows.type(key.get(0))) == ColumnKind.TEXT;
    if (text) {
      table.option("key.format", "raw");
    } else {
      TopicTables.format(table, "key.", "json", false);
    }
    table.option("key.fields", String.join(";", key));
    TopicTables.format(table, "value.", step.arguments().text("format"), false);
    return true;
  }

  private static Schema schema(Rows rows) {
    Schema.Builder schema = Schema.newBuilder();
    for (String column : rows.columns()) {
      LogicalType type = EventTime.plain(rows.type(column).getLogicalType());
      schema.column(column, TypeConversions.fromLogicalToDataType(type));
    }
    return schema.build();
  }

  private static Table visible(Step step, Rows rows) {
    String columns = String.join(", ", rows.columns().stream().map(Rows::quote).toList());
    return step.tables().sqlQuery("SELECT " + columns + " FROM " + rows.table());
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return outcome.facts();
  }
}
