package io.millrace.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.reader.StreamReader;

/**
 * Reads YAML that anybody may have written into typed values, each with its line. Nothing in it is
 * ever made an object or expanded: aliases, anchors and tags are refused, and its size and depth
 * are bounded.
 */
final class YamlTree {
  /** In characters. */
  static final int MAX_LENGTH = 1 << 20;

  static final int MAX_DEPTH = 20;

  /** Longer ones are no number that anybody means, and take long to read. */
  private static final int MAX_DIGITS = 40;

  private static final int MAX_MESSAGE = 160;

  /** A document with more faults than a person reads is not read on. */
  private static final int MAX_FAULTS = 100;

  /**
   * Something wrong.
   *
   * @param path of the value, its keys and positions joined by slashes
   */
  record Fault(String path, String message, int line) {}

  /**
   * A document.
   *
   * @param root the values as they are typed; null where there are none
   * @param lines by path
   * @param broken paths of values that were refused; they read as null
   * @param complete false when reading stopped early
   */
  record Document(
      @Nullable JsonNode root,
      Map<String, Integer> lines,
      Set<String> broken,
      List<Fault> faults,
      boolean complete) {}

  private static final YAMLFactory YAML =
      YAMLFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNumberLength(MAX_LENGTH).build())
          .build();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final Map<String, Integer> lines = new HashMap<>();
  private final Set<String> broken = new HashSet<>();
  @Nullable private JsonNode root;
  private final List<Fault> faults = new ArrayList<>();

  private YamlTree() {}

  /** Ends the reading of a document that would only go on to be hostile. */
  private static final class GivenUpException extends IOException {
    private static final long serialVersionUID = 1L;
  }

  static Document read(String text) {
    return new YamlTree().document(text.startsWith("\uFEFF") ? text.substring(1) : text);
  }

  /**
   * A value as an argument gives it: a number, boolean, list or map where it is written as one,
   * else the text as it stands.
   */
  static JsonNode value(String text) {
    boolean plain = text.matches("[A-Za-z0-9_.+-]*");
    boolean marked = !text.isEmpty() && "[{\"'".indexOf(text.charAt(0)) >= 0;
    if (plain || marked) {
      Document document = read(text);
      if (document.complete() && document.faults().isEmpty() && document.root() != null) {
        return document.root();
      }
    }
    return NODES.textNode(text);
  }

  private Document document(String text) {
    boolean complete = false;
    try (YAMLParser parser = YAML.createParser(printable(text))) {
      if (parser.nextToken() != null) {
        value(parser, "", 0, value -> root = value);
      }
      complete = true;
      if (parser.nextToken() != null) {
        fault("", "a pipeline is one document, but here a second one begins", line(parser));
      }
    } catch (GivenUpException e) {
      complete = false;
    } catch (JsonProcessingException e) {
      faults.add(notYaml(e));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Document(root, lines, broken, faults, complete);
  }

  /** The text, when it is not too long and has no character that YAML refuses. */
  private String printable(String text) throws GivenUpException {
    if (text.length() > MAX_LENGTH) {
      fault("", "the file has more than " + MAX_LENGTH + " characters", 0);
      throw new GivenUpException();
    }
    int line = 1;
    for (int i = 0; i < text.length(); ) {
      int character = text.codePointAt(i);
      if (character == '\n') {
        line++;
      }
      if (!StreamReader.isPrintable(character)) {
        fault("", String.format("the character U+%04X is not allowed in YAML", character), line);
        throw new GivenUpException();
      }
      i += Character.charCount(character);
    }
    return text;
  }

  /** Says what is wrong without the parser's own message, which quotes the text around it. */
  private static Fault notYaml(JsonProcessingException e) {
    int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
    String why = "";
    Throwable cause = e.getCause();
    if (cause instanceof MarkedYAMLException marked) {
      why = ": " + marked.getProblem().lines().findFirst().orElse("");
      line = marked.getProblemMark() == null ? line : marked.getProblemMark().getLine() + 1;
    }
    String message = "this is not valid YAML" + why;
    return new Fault("", message.substring(0, Math.min(MAX_MESSAGE, message.length())), line);
  }

  /**
   * Reads a value.
   *
   * @param place takes it; a map or list before it is filled, so that it is there when reading
   *     stops
   */
  private void value(YAMLParser parser, String path, int depth, Consumer<JsonNode> place)
      throws IOException {
    JsonToken token = parser.currentToken();
    lines.putIfAbsent(path, line(parser));
    if (depth > MAX_DEPTH) {
      fault(path, "values are nested more than " + MAX_DEPTH + " deep", line(parser));
      throw new GivenUpException();
    }
    String refused =
        parser.isCurrentAlias()
            ? "is an alias; write its value out"
            : parser.getObjectId() != null
                ? "has an anchor, which is not taken; remove it"
                : parser.getTypeId() != null ? "has a tag, which is not taken; remove it" : null;
    if (refused != null) {
      place.accept(NullNode.getInstance());
      refuse(parser, path, refused);
    } else if (token == JsonToken.START_OBJECT) {
      ObjectNode object = NODES.objectNode();
      place.accept(object);
      fill(object, parser, path, depth);
    } else if (token == JsonToken.START_ARRAY) {
      ArrayNode array = NODES.arrayNode();
      place.accept(array);
      fill(array, parser, path, depth);
    } else {
      place.accept(scalar(parser, token));
    }
  }

  private static JsonNode scalar(YAMLParser parser, JsonToken token) throws IOException {
    String text = parser.getText();
    return switch (token) {
      case VALUE_NULL -> NullNode.getInstance();
      // YAML 1.1 has yes, no, on and off too, which in data are more often words.
      case VALUE_TRUE, VALUE_FALSE ->
          text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")
              ? NODES.booleanNode(token == JsonToken.VALUE_TRUE)
              : NODES.textNode(text);
      case VALUE_NUMBER_INT -> integer(parser);
      case VALUE_NUMBER_FLOAT -> number(text);
      default -> NODES.textNode(text);
    };
  }

  private void fill(ObjectNode object, YAMLParser parser, String path, int depth)
      throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      String below = path.isEmpty() ? field : path + "/" + field;
      int line = line(parser);
      boolean twice = object.has(field);
      if (twice) {
        fault(
            below,
            "duplicate key '" + Shown.clip(field) + "', given in line " + lines.get(below),
            line);
      } else {
        lines.put(below, line);
      }
      parser.nextToken();
      value(parser, below, depth + 1, value -> object.putIfAbsent(field, value));
    }
  }

  private void fill(ArrayNode array, YAMLParser parser, String path, int depth) throws IOException {
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      value(parser, path + "/" + array.size(), depth + 1, array::add);
    }
  }

  /** A whole number; with a leading zero it is a text, since YAML's versions disagree about it. */
  private static JsonNode integer(YAMLParser parser) throws IOException {
    String text = parser.getText();
    if (text.length() > MAX_DIGITS || text.matches("[-+]?0[0-9_]+")) {
      return NODES.textNode(text);
    }
    return switch (parser.getNumberType()) {
      case INT -> NODES.numberNode(parser.getIntValue());
      case LONG -> NODES.numberNode(parser.getLongValue());
      default -> NODES.numberNode((BigInteger) parser.getNumberValue());
    };
  }

  /** A number; what is not finite stays a text. */
  private static JsonNode number(String text) {
    try {
      double number = Double.parseDouble(text.replace("_", ""));
      return Double.isFinite(number) ? NODES.numberNode(number) : NODES.textNode(text);
    } catch (NumberFormatException e) {
      return NODES.textNode(text);
    }
  }

  private void refuse(YAMLParser parser, String path, String why) throws IOException {
    String key = path.substring(path.lastIndexOf('/') + 1);
    fault(path, (key.isEmpty() ? "the document" : Shown.clip(key)) + " " + why, line(parser));
    broken.add(path);
    if (!parser.isCurrentAlias()) {
      parser.skipChildren();
    }
  }

  private void fault(String path, String message, int line) throws GivenUpException {
    faults.add(new Fault(path, message, line));
    if (faults.size() == MAX_FAULTS) {
      faults.add(new Fault("", "there are too many problems to read on", line));
      throw new GivenUpException();
    }
  }

  private static int line(YAMLParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }
}
