package io.millrace.transform.column;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.config.NearestKey;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads a parameter that gives a text for each of several columns. */
public final class ColumnTexts {
  private ColumnTexts() {}

  /** Texts by column, in the order of the file; empty when a problem was reported. */
  public static Optional<Map<String, String>> read(Step step, String key, String example) {
    JsonNode node = step.arguments().raw(key);
    if (node == null || !node.isObject() || node.isEmpty()) {
      step.error(
          key,
          key
              + " is "
              + (node == null || node.isObject() ? "empty" : "'" + shown(node) + "'")
              + ", but must map columns, as in "
              + example);
      return Optional.empty();
    }
    Map<String, String> texts = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      JsonNode value = field.getValue();
      if (!value.isValueNode() || value.isNull() || value.asText().isBlank()) {
        step.error(
            key,
            key
                + "."
                + field.getKey()
                + " is '"
                + value
                + "', but must be a text, as in "
                + example);
        return Optional.empty();
      }
      texts.put(field.getKey(), value.asText());
    }
    return Optional.of(texts);
  }

  private static String shown(JsonNode node) {
    return node.isValueNode() ? node.asText() : node.toString();
  }

  /** Whether all are columns of the rows; those that are not are reported. */
  public static boolean areThere(Step step, String key, Iterable<String> wanted, Rows rows) {
    boolean all = true;
    for (String column : wanted) {
      if (!rows.columns().contains(column)) {
        step.error(
            key, key + " names '" + column + "', but " + noSuchColumn(column, rows.columns()));
        all = false;
      }
    }
    return all;
  }

  public static String noSuchColumn(String column, List<String> known) {
    return "there is no such column here"
        + NearestKey.find(column, known)
            .map(near -> "; did you mean '" + near + "'?")
            .orElse("; there are " + String.join(", ", known));
  }

  /** Whether a column may get that name; if not, a problem was reported. */
  public static boolean isNameable(Step step, String key, String name) {
    if (name.isBlank() || Rows.isHidden(name)) {
      step.error(
          key,
          key
              + " makes a column '"
              + name
              + "', but "
              + (name.isBlank() ? "a name must not be blank" : "such names are reserved"));
      return false;
    }
    return true;
  }
}
