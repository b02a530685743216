package io.millrace.transform.connector;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.call;

import io.millrace.config.NearestKey;
import io.millrace.transform.Arguments;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.function.RequireValue;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;

/** {@code extract_kafka}: the records of a topic, as they come or up to its end. */
public final class ExtractKafka implements Transform {
  private static final String EXAMPLE = "{id: BIGINT, at: TIMESTAMP_LTZ(3), amount: DOUBLE}";
  private static final String NEVER = "never";
  private static final String EVENT_TIME = "__event_time";
  private static final int MILLISECONDS = 3;

  /** An interval of SQL has days of two digits. */
  private static final Duration LONGEST_OUT_OF_ORDERNESS = Duration.ofDays(90);

  private static final Declaration DECLARATION =
      new Declaration(
          "extract_kafka",
          Kind.EXTRACT,
          Inputs.NONE,
          "Reads a Kafka topic: without end, or up to the end that it has when the run begins.",
          List.of(
              TopicTables.topic(),
              TopicTables.bootstrapServers(),
              TopicTables.format(),
              Parameter.object("columns")
                  .require()
                  .doc(
                      "SQL types by column, such as "
                          + EXAMPLE
                          + ". What a record does not have is null."),
              Parameter.text("time")
                  .doc(
                      "The column that is the event time: TIMESTAMP(3) or TIMESTAMP_LTZ(3), or a"
                          + " BIGINT of epoch milliseconds, which becomes TIMESTAMP_LTZ(3)."),
              Parameter.text("record_time")
                  .doc(
                      "A further column, TIMESTAMP_LTZ(3), with the time that Kafka has for the"
                          + " record; it may be the event time."),
              Parameter.duration("out_of_orderness")
                  .defaultTo("5 s")
                  .doc("How far behind the latest event time a row may be and is not late."),
              Parameter.duration("idle_after")
                  .oneOf(NEVER)
                  .defaultTo("1 min")
                  .doc(
                      "After how long without records a partition, or a task that has no partition,"
                          + " no longer holds back the event time; never: not at all."),
              Parameter.text("start")
                  .defaultTo("earliest")
                  .doc(
                      "Where a run that restores nothing begins: earliest, latest, committed (what"
                          + " the group has read, else earliest), or an instant such as"
                          + " 2026-03-01T00:00:00Z, by the records' own times."),
              Parameter.bool("to_end")
                  .defaultTo(false)
                  .doc("Reads what is there when the run begins, and ends: bounded input."),
              Parameter.text("group").doc("The consumer group; PIPELINE-STEP unless given."),
              Parameter.text("on_error")
                  .oneOf("fail", "skip")
                  .defaultTo("fail")
                  .doc(
                      "What becomes of a record that cannot be read, or has no event time: the run"
                          + " fails, or it is left out. With json and skip, a single value that"
                          + " does not fit is null."),
              TopicTables.properties()),
          List.of(
              """
              pipeline:
                name: readings
                steps:
                  - id: read
                    service: extract_kafka
                    params:
                      topic: readings
                      bootstrap_servers: localhost:9092
                      columns: {station: STRING, at: TIMESTAMP_LTZ(3), temperature: DOUBLE}
                      time: at
                  - id: fill
                    service: clean_nan
                    params: {strategy: ffill, columns: [temperature], key: [station], over: all}
                    depends_on: [read]
                  - id: save
                    service: load_kafka
                    params: {topic: readings-filled, bootstrap_servers: localhost:9092, key: [station]}
                    depends_on: [fill]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  public boolean isUnbounded(Arguments arguments) {
    return !arguments.bool("to_end");
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    Map<String, LogicalType> columns = columns(step);
    if (columns == null || !hasTime(step, columns)) {
      return null;
    }
    Duration behind = step.arguments().duration("out_of_orderness");
    if (behind.compareTo(LONGEST_OUT_OF_ORDERNESS) > 0) {
      step.error(
          "out_of_orderness",
          "out_of_orderness is '"
              + step.arguments().text("out_of_orderness")
              + "', but must be at most 90 d");
      return null;
    }
    Map<String, String> defaults = new LinkedHashMap<>();
    // Else what a failed writer left behind would be read, and written again by another.
    defaults.put("isolation.level", "read_committed");
    if (step.arguments().text("start").equals("committed")) {
      defaults.put("auto.offset.reset", "earliest");
    }
    TableDescriptor.Builder table = TopicTables.descriptor(step, defaults);
    if (table == null || !starts(step, table)) {
      return null;
    }
    Arguments arguments = step.arguments();
    boolean lenient = arguments.text("on_error").equals("skip");
    TopicTables.format(table, "", arguments.text("format"), lenient);
    table.option(
        "properties.group.id",
        arguments.optionalText("group").orElse(step.site().pipeline() + "-" + step.id()));
    if (arguments.bool("to_end")) {
      table.option("scan.bounded.mode", "latest-offset");
    }
    boolean hasTime = arguments.has("time") && !step.bounded();
    if (hasTime && !arguments.text("idle_after").equals(NEVER)) {
      table.option(
          "scan.watermark.idle-timeout", arguments.duration("idle_after").toMillis() + " ms");
    }
    return rows(step, table.schema(schema(step, columns)).build(), columns, lenient);
  }

  /** Types by column; null when a problem was reported. */
  @Nullable
  private static Map<String, LogicalType> columns(Step step) {
    Optional<Map<String, String>> texts = ColumnTexts.read(step, "columns", EXAMPLE);
    if (texts.isEmpty()) {
      return null;
    }
    Map<String, LogicalType> types = new LinkedHashMap<>();
    boolean all = true;
    for (Map.Entry<String, String> text : texts.get().entrySet()) {
      LogicalType type = type(text.getValue());
      if (type == null) {
        step.error(
            "columns",
            "columns."
                + text.getKey()
                + " is '"
                + text.getValue()
                + "', but must be an SQL type, such as STRING, BIGINT, DOUBLE, BOOLEAN,"
                + " DECIMAL(10, 2) or TIMESTAMP_LTZ(3)");
        all = false;
      } else {
        types.put(text.getKey(), type);
      }
      all &= ColumnTexts.isNameable(step, "columns", text.getKey());
    }
    return all ? types : null;
  }

  @Nullable
  private static LogicalType type(String text) {
    try {
      LogicalType type = LogicalTypeParser.parse(text, ExtractKafka.class.getClassLoader());
      boolean unknown = type.is(LogicalTypeRoot.UNRESOLVED) || type.is(LogicalTypeRoot.RAW);
      return unknown ? null : type.copy(true);
    } catch (ValidationException e) {
      return null;
    }
  }

  private static boolean hasTime(Step step, Map<String, LogicalType> columns) {
    Optional<String> recordTime = step.arguments().optionalText("record_time");
    if (recordTime.isPresent() && !ColumnTexts.isNameable(step, "record_time", recordTime.get())) {
      return false;
    }
    if (recordTime.isPresent() && columns.containsKey(recordTime.get())) {
      step.error(
          "record_time",
          "record_time is '" + recordTime.get() + "', but columns has one of that name");
      return false;
    }
    Optional<String> time = step.arguments().optionalText("time");
    if (time.isEmpty() || time.equals(recordTime)) {
      return true;
    }
    LogicalType type = columns.get(time.get());
    if (type == null) {
      step.error(
          "time",
          "time is '"
              + time.get()
              + "', which is none of the columns"
              + NearestKey.find(time.get(), columns.keySet())
                  .map(near -> "; did you mean '" + near + "'?")
                  .orElse(" " + String.join(", ", columns.keySet())));
      return false;
    }
    boolean fits =
        switch (type.getTypeRoot()) {
          case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
              LogicalTypeChecks.getPrecision(type) <= MILLISECONDS;
          case BIGINT -> true;
          default -> false;
        };
    if (!fits) {
      step.error(
          "time",
          "time is '"
              + time.get()
              + "' of type "
              + ColumnKind.name(type)
              + ", but must be TIMESTAMP(3), TIMESTAMP_LTZ(3) or BIGINT");
    }
    return fits;
  }

  private static boolean starts(Step step, TableDescriptor.Builder table) {
    String start = step.arguments().text("start");
    switch (start) {
      case "earliest" -> table.option("scan.startup.mode", "earliest-offset");
      case "latest" -> table.option("scan.startup.mode", "latest-offset");
      case "committed" -> table.option("scan.startup.mode", "group-offsets");
      default -> {
        Instant instant;
        try {
          instant = Instant.parse(start);
        } catch (DateTimeException e) {
          step.error(
              "start",
              "start is '"
                  + start
                  + "', but must be earliest, latest, committed or an instant such as"
                  + " 2026-03-01T00:00:00Z");
          return false;
        }
        table.option("scan.startup.mode", "timestamp");
        table.option("scan.startup.timestamp-millis", Long.toString(instant.toEpochMilli()));
      }
    }
    return true;
  }

  private static Schema schema(Step step, Map<String, LogicalType> columns) {
    Schema.Builder schema = Schema.newBuilder();
    columns.forEach(
        (name, type) -> schema.column(name, TypeConversions.fromLogicalToDataType(type)));
    Arguments arguments = step.arguments();
    arguments
        .optionalText("record_time")
        .ifPresent(
            name -> schema.columnByMetadata(name, DataTypes.TIMESTAMP_LTZ(3), "timestamp", true));
    Optional<String> time = arguments.optionalText("time");
    if (time.isPresent() && isMillis(columns, time.get())) {
      schema.columnByExpression(
          EVENT_TIME, "TO_TIMESTAMP_LTZ(" + Rows.quote(time.get()) + ", " + MILLISECONDS + ")");
    }
    if (step.bounded()) {
      schema.columnByMetadata(Rows.orderColumn(0), DataTypes.BIGINT(), "partition", true);
      schema.columnByMetadata(Rows.orderColumn(1), DataTypes.BIGINT(), "offset", true);
    } else if (time.isPresent()) {
      String column = isMillis(columns, time.get()) ? EVENT_TIME : time.get();
      // A watermark says that nothing of its time comes any more: a row as old as allowed is.
      Duration behind = arguments.duration("out_of_orderness").plusMillis(1);
      schema.watermark(column, Rows.quote(column) + " - " + interval(behind));
    }
    return schema.build();
  }

  /** {@code INTERVAL '0 00:00:05.001' DAY TO SECOND(3)}. */
  private static String interval(Duration duration) {
    return "INTERVAL '%d %02d:%02d:%02d.%03d' DAY TO SECOND(3)"
        .formatted(
            duration.toDays(),
            duration.toHoursPart(),
            duration.toMinutesPart(),
            duration.toSecondsPart(),
            duration.toMillisPart());
  }

  private static boolean isMillis(Map<String, LogicalType> columns, String time) {
    LogicalType type = columns.get(time);
    return type != null && type.is(LogicalTypeRoot.BIGINT);
  }

  private static Rows rows(
      Step step, TableDescriptor descriptor, Map<String, LogicalType> columns, boolean lenient) {
    Table table = step.tables().from(descriptor);
    Optional<String> time = step.arguments().optionalText("time");
    String column = time.isPresent() && isMillis(columns, time.get()) ? EVENT_TIME : null;
    if (time.isPresent()) {
      String present = column == null ? time.get() : column;
      String message = "step '" + step.id() + "': a record has no event time '" + time.get() + "'";
      table =
          table.where(
              (lenient ? $(present) : call(new RequireValue(message), $(present))).isNotNull());
    }
    List<String> select = new ArrayList<>();
    List<String> names = new ArrayList<>(columns.keySet());
    step.arguments().optionalText("record_time").ifPresent(names::add);
    for (String name : names) {
      boolean isTime = column != null && name.equals(time.get());
      select.add(isTime ? Rows.quote(column) + " AS " + Rows.quote(name) : Rows.quote(name));
    }
    List<String> order =
        step.bounded() ? List.of(Rows.orderColumn(0), Rows.orderColumn(1)) : List.of();
    order.forEach(hidden -> select.add(Rows.quote(hidden)));
    return new Rows(
        step.tables().sqlQuery("SELECT " + String.join(", ", select) + " FROM " + table), order);
  }
}
