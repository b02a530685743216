package io.millrace.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.TextNode;
import io.millrace.config.Secret;
import io.millrace.transform.Parameter;
import io.millrace.transform.Parameter.Bounds;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.flink.util.TimeUtils;

/** Checks one given value against the declaration of its parameter. */
final class ParameterCheck {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern UNIT = Pattern.compile("\\s*[0-9]+\\s*[^0-9\\s].*");

  /** The value does not fit; its message is what is wrong and what is allowed. */
  static final class MisfitException extends Exception {
    private static final long serialVersionUID = 1L;

    MisfitException(String message) {
      super(message);
    }
  }

  private ParameterCheck() {}

  /** The default as a value, if there is one. */
  static Optional<JsonNode> fallback(Parameter parameter) {
    return Optional.ofNullable(parameter.fallback()).map(JSON::<JsonNode>valueToTree);
  }

  /** The value as the entry is to see it: allowed texts are spelled as they are declared. */
  static JsonNode check(Parameter parameter, JsonNode value) throws MisfitException {
    if (parameter.secret()) {
      return secret(parameter, value);
    }
    return switch (parameter.type()) {
      case TEXT, COLUMN, EXPRESSION -> text(parameter, value, value);
      case INTEGER -> {
        require(value.isIntegralNumber() && value.canConvertToLong(), parameter, value);
        yield bounded(parameter, value);
      }
      case NUMBER -> {
        require(value.isNumber() && Double.isFinite(value.asDouble()), parameter, value);
        yield bounded(parameter, value);
      }
      case BOOLEAN -> {
        require(value.isBoolean(), parameter, value);
        yield value;
      }
      case DURATION -> duration(parameter, value);
      case SCALAR -> {
        require(value.isValueNode(), parameter, value);
        yield value;
      }
      case TEXTS, COLUMNS -> texts(parameter, value);
      case OBJECT -> {
        require(value.isContainerNode(), parameter, value);
        yield value;
      }
    };
  }

  private static JsonNode secret(Parameter parameter, JsonNode value) throws MisfitException {
    try {
      Secret.of(value.isTextual() ? value.asText() : "");
      return value;
    } catch (IllegalArgumentException e) {
      throw new MisfitException(
          parameter.name() + " is a secret, so it must be " + allowed(parameter));
    }
  }

  /** One text, which stands alone or in a list. */
  private static JsonNode text(Parameter parameter, JsonNode given, JsonNode text)
      throws MisfitException {
    require(
        (text.isTextual() && !text.asText().isBlank()) || isEmptyAllowed(parameter, text),
        parameter,
        given);
    if (parameter.allowed().isEmpty()) {
      return text;
    }
    for (String allowed : parameter.allowed()) {
      if (allowed.equalsIgnoreCase(text.asText().strip())) {
        return TextNode.valueOf(allowed);
      }
    }
    throw misfit(parameter, text);
  }

  /** A plain text may be empty, as a placeholder or a delimiter's replacement is. */
  private static boolean isEmptyAllowed(Parameter parameter, JsonNode text) {
    return parameter.type() == Parameter.Type.TEXT
        && !parameter.required()
        && parameter.allowed().isEmpty()
        && text.isTextual();
  }

  private static JsonNode bounded(Parameter parameter, JsonNode value) throws MisfitException {
    Bounds bounds = parameter.bounds();
    double number = value.asDouble();
    boolean low =
        bounds.min() != null
            && (bounds.minExclusive() ? number <= bounds.min() : number < bounds.min());
    boolean high = bounds.max() != null && number > bounds.max();
    require(!low && !high, parameter, value);
    return value;
  }

  private static JsonNode duration(Parameter parameter, JsonNode value) throws MisfitException {
    if (parameter.allowed().contains(value.asText())) {
      return value;
    }
    require(value.isTextual() && UNIT.matcher(value.asText()).matches(), parameter, value);
    try {
      TimeUtils.parseDuration(value.asText());
    } catch (IllegalArgumentException e) {
      throw misfit(parameter, value);
    }
    return value;
  }

  private static JsonNode texts(Parameter parameter, JsonNode value) throws MisfitException {
    ArrayNode texts = JsonNodeFactory.instance.arrayNode();
    if (value.isTextual()) {
      for (String part : value.asText().split(",", -1)) {
        if (!part.isBlank()) {
          texts.add(text(parameter, value, TextNode.valueOf(part.strip())));
        }
      }
      return texts;
    }
    require(value.isArray(), parameter, value);
    for (JsonNode element : value) {
      if (!element.isTextual() || element.asText().isEmpty()) {
        throw new MisfitException(
            parameter.name()
                + " holds "
                + Shown.value(parameter.name(), element)
                + ", but must be "
                + allowed(parameter)
                + quotes(element));
      }
      texts.add(text(parameter, element, element));
    }
    return texts;
  }

  private static void require(boolean fits, Parameter parameter, JsonNode value)
      throws MisfitException {
    if (!fits) {
      throw misfit(parameter, value);
    }
  }

  private static MisfitException misfit(Parameter parameter, JsonNode value) {
    boolean text =
        switch (parameter.type()) {
          case TEXT, COLUMN, EXPRESSION -> parameter.allowed().isEmpty();
          default -> false;
        };
    return new MisfitException(
        parameter.name()
            + " is "
            + Shown.value(parameter.name(), value)
            + ", but must be "
            + allowed(parameter)
            + (text ? quotes(value) : ""));
  }

  private static String quotes(JsonNode value) {
    return value.isNumber() || value.isBoolean() ? "; write it in quotes" : "";
  }

  /** What may be given, as the end of a sentence. */
  static String allowed(Parameter parameter) {
    if (parameter.secret()) {
      return "given by reference, as env:NAME or file:/path";
    }
    String words = String.join(", ", parameter.allowed());
    return switch (parameter.type()) {
      case TEXT -> words.isEmpty() ? "a text" : "one of " + words;
      case INTEGER -> "a whole number" + range(parameter.bounds());
      case NUMBER -> "a number" + range(parameter.bounds());
      case BOOLEAN -> "true or false";
      case DURATION ->
          "a duration with a unit (ms, s, min, h, d)" + (words.isEmpty() ? "" : ", or " + words);
      case SCALAR -> "a single text, number or boolean";
      case TEXTS -> "a list of texts" + (words.isEmpty() ? "" : ", each one of " + words);
      case OBJECT -> "a map or a list";
      case COLUMN -> "the name of a column";
      case COLUMNS -> "a list of names of columns";
      case EXPRESSION -> "an SQL expression";
    };
  }

  private static String range(Bounds bounds) {
    if (bounds.min() != null && bounds.max() != null) {
      return " between " + plain(bounds.min()) + " and " + plain(bounds.max());
    } else if (bounds.min() != null) {
      return (bounds.minExclusive() ? " above " : " of at least ") + plain(bounds.min());
    }
    return bounds.max() == null ? "" : " of at most " + plain(bounds.max());
  }

  private static String plain(double number) {
    return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
  }
}
