package io.millrace.transform.quality;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.transform.function.FindViolations.Rule;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.types.Row;

/** A refused row as one line of JSON: its columns, and {@code _reasons} behind them. */
public final class WriteReasons implements MapFunction<Row, String> {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ArrayList<Rule> rules;
  private final ArrayList<String> columns;
  private final String violated;

  public WriteReasons(List<Rule> rules, List<String> columns, String violated) {
    this.rules = new ArrayList<>(rules);
    this.columns = new ArrayList<>(columns);
    this.violated = violated;
  }

  @Override
  public String map(Row row) throws JsonProcessingException {
    ObjectNode line = JSON.createObjectNode();
    for (String column : columns) {
      Object value = row.getField(column);
      if (value == null || value instanceof Number || value instanceof Boolean) {
        line.set(column, JSON.valueToTree(value));
      } else {
        line.put(column, value.toString());
      }
    }
    ArrayNode reasons = line.putArray("_reasons");
    for (Integer rule : (Integer[]) row.getField(violated)) {
      reasons.add(rules.get(rule).reason());
    }
    return JSON.writeValueAsString(line);
  }
}
