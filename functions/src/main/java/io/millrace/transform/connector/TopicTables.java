package io.millrace.transform.connector;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.config.ConfigException;
import io.millrace.config.PassThrough;
import io.millrace.transform.Parameter;
import io.millrace.transform.Step;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.table.api.TableDescriptor;

/** What tables over Kafka topics have in common: how the broker is reached, and the format. */
final class TopicTables {
  private static final String JSON = "json";

  private TopicTables() {}

  static Parameter topic() {
    return Parameter.text("topic").require().doc("The topic, which has to exist.");
  }

  static Parameter bootstrapServers() {
    return Parameter.text("bootstrap_servers").require().doc("HOST:PORT, several by comma.");
  }

  static Parameter format() {
    return Parameter.text("format")
        .oneOf(JSON, "arrow")
        .defaultTo(JSON)
        .doc(
            "json: a record is an object with a row. arrow: a record is an Arrow IPC stream with"
                + " any number of rows. Times in JSON are ISO 8601, those with a zone end in Z.");
  }

  static Parameter properties() {
    return Parameter.object("properties")
        .doc(
            "Settings of Kafka's client by name, such as security.protocol. A value may hold"
                + " ${env:NAME} and ${file:/path}, which are read where a client is made: at the"
                + " start, and on every machine of the cluster.");
  }

  /**
   * A table over the step's topic, without columns.
   *
   * @param defaults of the client's settings
   * @return null when a problem was reported
   */
  @Nullable
  static TableDescriptor.Builder descriptor(Step step, Map<String, String> defaults) {
    Map<String, String> written = properties(step);
    if (written == null) {
      return null;
    }
    PassThrough properties = PassThrough.of(written);
    if (!step.site().offline()) {
      warnOfSecrets(step, properties);
    }
    Map<String, String> settings = new LinkedHashMap<>(defaults);
    settings.putAll(written.isEmpty() ? written : properties.forKafka());
    TableDescriptor.Builder table =
        TableDescriptor.forConnector("kafka")
            .option("topic", step.arguments().text("topic"))
            .option("properties.bootstrap.servers", step.arguments().text("bootstrap_servers"));
    settings.forEach((name, value) -> table.option("properties." + name, value));
    return table;
  }

  /** They are read where a client is made, which may be another machine. */
  private static void warnOfSecrets(Step step, PassThrough properties) {
    try {
      properties.resolve();
    } catch (ConfigException e) {
      for (String problem : e.problems()) {
        step.warn("properties", problem + " here; every task of the job needs it");
      }
    }
  }

  @Nullable
  private static Map<String, String> properties(Step step) {
    Map<String, String> properties = new LinkedHashMap<>();
    JsonNode node = step.arguments().raw("properties");
    if (node == null) {
      return properties;
    }
    if (!node.isObject()) {
      step.error("properties", "properties must be a map of name: value");
      return null;
    }
    for (Map.Entry<String, JsonNode> property : node.properties()) {
      if (!property.getValue().isValueNode() || property.getValue().isNull()) {
        step.error("properties", "properties." + property.getKey() + " must be a single value");
        return null;
      }
      if (property.getKey().equals("bootstrap.servers")) {
        step.error(
            "properties", "properties.bootstrap.servers is given by bootstrap_servers instead");
        return null;
      }
      properties.put(property.getKey(), property.getValue().asText());
    }
    return properties;
  }

  /** Sets the format, and what it does with what cannot be read. */
  static void format(TableDescriptor.Builder table, String prefix, String format, boolean lenient) {
    table.option(prefix + "format", format);
    if (format.equals(JSON)) {
      table
          .option(prefix + "json.timestamp-format.standard", "ISO-8601")
          .option(prefix + "json.ignore-parse-errors", Boolean.toString(lenient))
          .option(prefix + "json.encode.decimal-as-plain-number", "true");
    } else if (lenient) {
      table.option(prefix + format + ".on-error", "skip");
    }
  }
}
