package io.millrace.transform.llm;

import static org.apache.flink.table.api.Expressions.$;

import io.millrace.transform.Arguments;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.llm.ChatClient.Patience;
import io.millrace.transform.llm.ChatClient.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.flink.streaming.api.datastream.AsyncDataStream;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/** {@code text_completion_llm}: a language model fills in what is missing in a text. */
public final class CompleteText implements Transform {
  private static final Declaration DECLARATION =
      new Declaration(
          "text_completion_llm",
          Kind.TRANSFORM,
          Inputs.ONE,
          "Replaces placeholders in a text column by what a language model answers. The endpoint is"
              + " the operator's to set: MILLRACE_LLM_URL, OpenAI's API by default.",
          List.of(
              Parameter.column("text_column").require().doc("The column with the texts."),
              Parameter.text("missing_placeholder")
                  .require()
                  .defaultTo("[MISSING]")
                  .doc("What to replace; at most 50 times in one row."),
              Parameter.integer("max_tokens")
                  .defaultTo(20)
                  .between(1, 4_096)
                  .doc("The longest answer."),
              Parameter.integer("max_rows")
                  .atLeast(0)
                  .doc(
                      "How many rows with a placeholder are completed, from the first on; all unless given."),
              Parameter.integer("max_calls")
                  .defaultTo(1_000)
                  .atLeast(0)
                  .doc("The budget: calls after that are not made, and placeholders stay."),
              Parameter.text("model").doc("The model; MILLRACE_LLM_MODEL unless given."),
              Parameter.text("api_key").asSecret().doc("The key of the endpoint."),
              Parameter.number("temperature")
                  .defaultTo(0.5)
                  .between(0, 2)
                  .doc("0 is the least varied."),
              Parameter.integer("concurrency").defaultTo(4).between(1, 64).doc("Calls at a time."),
              Parameter.duration("timeout").defaultTo("60 s").doc("How long one try may take."),
              Parameter.integer("retries")
                  .defaultTo(3)
                  .between(0, 10)
                  .doc("Tries after the first, of answers 429 and 5xx and broken connections."),
              Parameter.text("on_error")
                  .oneOf("fail", "keep")
                  .defaultTo("fail")
                  .doc(
                      "Whether a call that fails for good fails the run, or its placeholder stays."),
              Parameter.text("cache_file")
                  .doc(
                      "A file below the data root that keeps answers by a hash of model and prompt, so"
                          + " that a run that is repeated is not billed again.")),
          List.of(
              """
              pipeline:
                name: reviews
                steps:
                  - id: read
                    service: extract_csv
                    params: {file_path: reviews.csv}
                  - id: complete
                    service: text_completion_llm
                    params: {text_column: text, max_rows: 100}
                    depends_on: [read]
                  - id: save
                    service: load_data
                    params: {format: csv}
                    depends_on: [complete]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    Arguments arguments = step.arguments();
    String column = arguments.text("text_column");
    if (!in.type(column).getLogicalType().is(LogicalTypeRoot.VARCHAR)) {
      step.error(
          "text_column",
          "text_column is '"
              + column
              + "', which is "
              + in.type(column).getLogicalType().asSummaryString()
              + ", but must be a text column");
      return null;
    }
    LlmEndpoint endpoint;
    try {
      endpoint = LlmEndpoint.configured();
    } catch (IllegalArgumentException e) {
      step.error(null, e.getMessage());
      return null;
    }
    Patience patience =
        new Patience(
            arguments.duration("timeout"),
            (int) arguments.integer("retries"),
            Duration.ofMillis(500),
            (int) arguments.integer("concurrency"));
    // In their order, so that max_rows and the budget always mean the same rows.
    Table ordered =
        in.order().isEmpty()
            ? in.table()
            : step.tables()
                .sqlQuery("SELECT * FROM " + in.table() + " ORDER BY " + in.orderBy(true));
    DataType type = ordered.getResolvedSchema().toPhysicalRowDataType().bridgedTo(RowData.class);
    RowType row = (RowType) type.getLogicalType();
    DataStream<RowData> stream = step.tables().toDataStream(ordered, type);
    SingleOutputStreamOperator<RowData> completed =
        AsyncDataStream.orderedWait(
                stream,
                new CompleteTexts(
                    plan(step, row, endpoint, row.getFieldIndex(column)),
                    endpoint,
                    arguments.has("api_key") ? arguments.secret("api_key") : null,
                    patience),
                longestRow(patience).toMillis(),
                TimeUnit.MILLISECONDS,
                (int) arguments.integer("concurrency"))
            .returns(InternalTypeInfo.of(withEffort(row)))
            .uid(step.id() + ":complete")
            .name(step.id() + ":complete")
            .setParallelism(1);
    SingleOutputStreamOperator<RowData> summed =
        completed
            .transform(step.id() + ":effort", completed.getType(), new SumEffort())
            .uid(step.id() + ":effort")
            .setParallelism(1);
    step.collect("effort", summed.getSideOutput(SumEffort.EFFORT));
    Table result =
        step.tables()
            .fromDataStream(summed)
            .select(
                in.all().stream()
                    .map(name -> $(name))
                    .toArray(i -> new org.apache.flink.table.expressions.Expression[i]));
    return in.with(result);
  }

  /** Each try has its own timeout; a row may need many answers, each tried several times. */
  private static Duration longestRow(Patience patience) {
    return patience
        .timeout()
        .plus(Duration.ofMinutes(1))
        .multipliedBy((patience.retries() + 1L) * CompleteTexts.MOST_PER_ROW);
  }

  private static CompleteTexts.Plan plan(
      Step step, RowType row, LlmEndpoint endpoint, int textColumn) {
    Arguments arguments = step.arguments();
    RowData.FieldGetter[] fields = new RowData.FieldGetter[row.getFieldCount()];
    for (int i = 0; i < fields.length; i++) {
      fields[i] = RowData.createFieldGetter(row.getTypeAt(i), i);
    }
    return new CompleteTexts.Plan(
        fields,
        textColumn,
        arguments.text("missing_placeholder"),
        new Settings(
            arguments.optionalText("model").orElse(endpoint.model()),
            (int) arguments.integer("max_tokens"),
            arguments.number("temperature")),
        arguments.has("max_rows") ? arguments.integer("max_rows") : -1,
        arguments.integer("max_calls"),
        arguments.text("on_error").equals("keep"),
        arguments
            .optionalText("cache_file")
            .map(file -> step.site().files().resolve(file).toString())
            .orElse(null));
  }

  private static RowType withEffort(RowType row) {
    List<LogicalType> types = new ArrayList<>(row.getChildren());
    List<String> names = new ArrayList<>(row.getFieldNames());
    for (String added : CompleteTexts.ADDED) {
      types.add(new IntType(false));
      names.add("__" + added);
    }
    return RowType.of(false, types.toArray(new LogicalType[0]), names.toArray(new String[0]));
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    Map<String, Object> figures = new LinkedHashMap<>();
    List<String> effort = outcome.collected().getOrDefault("effort", List.of());
    if (!effort.isEmpty()) {
      String[] sums = effort.get(0).split(",", -1);
      figures.put("placeholders_completed", Long.parseLong(sums[0]));
      figures.put("calls", Long.parseLong(sums[1]));
      figures.put("cache_hits", Long.parseLong(sums[2]));
      figures.put("rows_left_over", Long.parseLong(sums[3]));
    }
    return figures;
  }
}
