package io.millrace.transform.clean;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import io.millrace.transform.keyed.KeyOfRow;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** {@code deduplicate}: one row of those that have the same key. */
public final class DeduplicateRows implements Transform {
  @Override
  public Declaration declaration() {
    return new Declaration(
        "deduplicate",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Keeps one of the rows with the same key, which stays in its place. A null equals a null.",
        List.of(
            Parameter.columns("key")
                .doc("The columns that make rows the same; all of them where none is named."),
            Parameter.text("keep")
                .oneOf("first", "last")
                .defaultTo("first")
                .doc("Which of them stays, in the order of rows."),
            Parameter.duration("over")
                .doc(
                    "Unbounded input: how much later, in event time, a row still is a duplicate."
                        + " Needed there, because it bounds what is remembered.")),
        List.of(
            """
            pipeline:
              name: sales
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: purchases.csv}
                - id: latest
                  service: deduplicate
                  depends_on: [read]
                  params:
                    key: [customer]
                    keep: last
                - id: save
                  service: load_data
                  depends_on: [latest]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    List<String> key = List.copyOf(new LinkedHashSet<>(step.arguments().texts("key")));
    if (!ColumnTexts.areThere(step, "key", key, in)) {
      return null;
    }
    List<String> columns = key.isEmpty() ? in.columns() : key;
    return step.bounded() ? bounded(step, in, columns) : unbounded(step, in, columns);
  }

  private static Rows bounded(Step step, Rows in, List<String> key) {
    if (step.arguments().has("over")) {
      step.warn("over", "over is not used: it is for unbounded input");
    }
    boolean first = step.arguments().text("keep").equals("first");
    String all = quoted(in.all());
    // The alias is a reserved name, which no column can have.
    String sql =
        "SELECT "
            + all
            + " FROM (SELECT "
            + all
            + ", ROW_NUMBER() OVER (PARTITION BY "
            + quoted(key)
            + " ORDER BY "
            + in.orderBy(first)
            + ") AS `__order_of_duplicates` FROM "
            + in.table()
            + ") WHERE `__order_of_duplicates` = 1";
    return in.with(step.tables().sqlQuery(sql));
  }

  private static String quoted(List<String> columns) {
    return String.join(", ", columns.stream().map(Rows::quote).toList());
  }

  @Nullable
  private static Rows unbounded(Step step, Rows in, List<String> key) {
    if (step.arguments().text("keep").equals("last")) {
      step.error("keep", "keep is 'last', but of unbounded input only the first is ever known");
      return null;
    }
    if (!step.arguments().has("over")) {
      step.error(
          "over",
          "over is missing: with unbounded input, say how much later in event time a row still is a"
              + " duplicate, such as 1 h");
      return null;
    }
    Duration over = step.arguments().duration("over");
    if (over.isZero() || over.isNegative()) {
      step.error(
          "over", "over is '" + step.arguments().text("over") + "', but must be more than 0 s");
      return null;
    }
    Optional<String> time = EventTime.column(in);
    if (time.isEmpty()) {
      step.error(null, "the input has no event time, by which duplicates are forgotten");
      return null;
    }
    List<String> columns = in.table().getResolvedSchema().getColumnNames();
    DataType type = EventTime.rowType(in.table());
    RowType row = (RowType) type.getLogicalType();
    int[] positions = key.stream().mapToInt(columns::indexOf).toArray();
    List<LogicalType> keyTypes = key.stream().map(k -> row.getTypeAt(columns.indexOf(k))).toList();
    String uid = step.id() + ":drop-duplicates";
    DataStream<RowData> kept =
        step.tables()
            .<RowData>toDataStream(in.table(), type)
            .keyBy(
                new KeyOfRow(positions, row),
                InternalTypeInfo.ofFields(keyTypes.toArray(LogicalType[]::new)))
            .process(new DropDuplicates(over.toMillis()), InternalTypeInfo.of(row))
            .uid(uid)
            .name(uid);
    return in.with(EventTime.ofStream(step.tables(), kept, in.table()));
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return Map.of("duplicates_removed", outcome.in().get(0).rows() - outcome.out().rows());
  }
}
