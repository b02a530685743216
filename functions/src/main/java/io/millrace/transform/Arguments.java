package io.millrace.transform;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.config.Secret;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.flink.util.TimeUtils;

/**
 * The arguments of a step, checked against the declaration: every parameter is there, with its
 * default where none was given, or absent when it has none.
 */
public final class Arguments {
  private final Map<String, JsonNode> values;

  /** Values by parameter; the caller has checked and completed them. */
  public Arguments(Map<String, JsonNode> values) {
    this.values = Map.copyOf(values);
  }

  public boolean has(String name) {
    return values.containsKey(name);
  }

  /** The value as YAML has it; null when it was not given and has no default. */
  @Nullable
  public JsonNode raw(String name) {
    return values.get(name);
  }

  public String text(String name) {
    return required(name).asText();
  }

  public Optional<String> optionalText(String name) {
    return Optional.ofNullable(values.get(name)).map(JsonNode::asText);
  }

  public long integer(String name) {
    return required(name).asLong();
  }

  public double number(String name) {
    return required(name).asDouble();
  }

  public boolean bool(String name) {
    return required(name).asBoolean();
  }

  public Duration duration(String name) {
    return TimeUtils.parseDuration(required(name).asText());
  }

  /** A list of texts, empty when it was not given. */
  public List<String> texts(String name) {
    List<String> texts = new ArrayList<>();
    JsonNode node = values.get(name);
    if (node == null) {
      return texts;
    }
    if (node.isArray()) {
      node.forEach(element -> texts.add(element.asText()));
    } else {
      for (String part : node.asText().split(",", -1)) {
        if (!part.isBlank()) {
          texts.add(part.strip());
        }
      }
    }
    return texts;
  }

  /** The reference of a secret parameter. */
  public Secret secret(String name) {
    return Secret.of(required(name).asText());
  }

  private JsonNode required(String name) {
    JsonNode value = values.get(name);
    if (value == null) {
      throw new IllegalStateException("no argument " + name);
    }
    return value;
  }
}
