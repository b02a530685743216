package io.millrace.transform.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * JSON as rows, as pandas' {@code json_normalize} makes them: a list of objects is rows, one object
 * is a row, keys of nested objects are joined by dots, and lists are kept as their JSON text. A
 * column is BIGINT, DOUBLE or BOOLEAN when all its values are, else STRING.
 */
public final class JsonRows {
  private static final int INTEGER = 1;
  private static final int DECIMAL = 2;
  private static final int BOOLEAN = 4;
  private static final int TEXT = 8;

  private final Map<String, Integer> kinds = new LinkedHashMap<>();
  private final List<Map<String, JsonNode>> rows = new ArrayList<>();

  /** The value below a path of keys joined by dots; a missing node when there is none. */
  public static JsonNode at(JsonNode json, String path) {
    JsonNode node = json;
    for (String key : path.isEmpty() ? new String[0] : path.split("\\.", -1)) {
      node = node.path(key);
    }
    return node;
  }

  /**
   * Adds what an answer holds.
   *
   * @param records a path: to a list of objects, to an object, or to an object of lists of the same
   *     length, which are columns side by side; empty for the answer itself, which is then no
   *     object of columns
   * @return how many rows these are
   * @throws IOException in one line when there are no rows
   */
  public int add(JsonNode answer, String records) throws IOException {
    JsonNode found = at(answer, records);
    int before = rows.size();
    if (found.isArray()) {
      for (JsonNode record : found) {
        addRecord(record);
      }
    } else if (found.isObject() && !records.isEmpty() && isColumnar(found)) {
      addColumns(found, records);
    } else if (found.isObject()) {
      addRecord(found);
    } else {
      throw new IOException(
          records.isEmpty()
              ? "the answer is " + found.getNodeType() + ", but must be a list or an object"
              : "records is '" + records + "', but the answer has no list or object there");
    }
    return rows.size() - before;
  }

  private static boolean isColumnar(JsonNode found) {
    for (JsonNode column : found) {
      if (!column.isArray()) {
        return false;
      }
    }
    return !found.isEmpty();
  }

  private void addColumns(JsonNode found, String records) throws IOException {
    int size = found.elements().next().size();
    for (Map.Entry<String, JsonNode> column : found.properties()) {
      if (column.getValue().size() != size) {
        throw new IOException(
            "the lists below '"
                + records
                + "' differ in length: '"
                + column.getKey()
                + "' has "
                + column.getValue().size()
                + ", the first "
                + size);
      }
    }
    for (int i = 0; i < size; i++) {
      Map<String, JsonNode> row = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> column : found.properties()) {
        flatten(column.getKey(), column.getValue().get(i), row);
      }
      rows.add(row);
    }
  }

  private void addRecord(JsonNode record) throws IOException {
    if (!record.isObject()) {
      throw new IOException("a record is " + record.getNodeType() + ", but must be an object");
    }
    Map<String, JsonNode> row = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : record.properties()) {
      flatten(field.getKey(), field.getValue(), row);
    }
    rows.add(row);
  }

  private void flatten(String name, JsonNode value, Map<String, JsonNode> row) {
    if (value.isObject() && !value.isEmpty()) {
      for (Map.Entry<String, JsonNode> field : value.properties()) {
        flatten(name + "." + field.getKey(), field.getValue(), row);
      }
      return;
    }
    kinds.merge(name, kind(value), (a, b) -> a | b);
    row.put(name, value);
  }

  private static int kind(JsonNode value) {
    if (value.isNull()) {
      return 0;
    }
    if (value.isIntegralNumber()) {
      return value.canConvertToLong() ? INTEGER : TEXT;
    }
    if (value.isNumber()) {
      return DECIMAL;
    }
    return value.isBoolean() ? BOOLEAN : TEXT;
  }

  public List<String> columns() {
    return List.copyOf(kinds.keySet());
  }

  public List<LogicalType> types() {
    return kinds.values().stream().map(JsonRows::type).toList();
  }

  private static LogicalType type(int kinds) {
    return switch (kinds) {
      case INTEGER -> new BigIntType();
      case 0, DECIMAL, DECIMAL | INTEGER -> new DoubleType();
      case BOOLEAN -> new BooleanType();
      default -> new VarCharType(VarCharType.MAX_LENGTH);
    };
  }

  public int size() {
    return rows.size();
  }

  /**
   * All rows in Flink's internal form.
   *
   * @param ordered whether their number, from 0, is the last column
   */
  public List<RowData> rows(boolean ordered) {
    List<String> columns = columns();
    List<LogicalType> types = types();
    List<RowData> result = new ArrayList<>(rows.size());
    for (int r = 0; r < rows.size(); r++) {
      GenericRowData row = new GenericRowData(columns.size() + (ordered ? 1 : 0));
      for (int i = 0; i < columns.size(); i++) {
        JsonNode value = rows.get(r).get(columns.get(i));
        if (value != null && !value.isNull()) {
          row.setField(i, internal(value, types.get(i)));
        }
      }
      if (ordered) {
        row.setField(columns.size(), (long) r);
      }
      result.add(row);
    }
    return result;
  }

  private static Object internal(JsonNode value, LogicalType type) {
    return switch (type.getTypeRoot()) {
      case BIGINT -> value.longValue();
      case DOUBLE -> value.doubleValue();
      case BOOLEAN -> value.booleanValue();
      default -> StringData.fromString(value.isTextual() ? value.textValue() : value.toString());
    };
  }
}
