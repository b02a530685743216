package io.millrace.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * Reads YAML into dotted keys, each with its line. Scalars stay text, so that {@code 010} or {@code
 * 1.10} mean what the option's type makes of them.
 */
final class YamlText {
  /**
   * One leaf of the document.
   *
   * @param value a string, a list of strings, or an empty map; null when nothing was written
   */
  record Leaf(String key, @Nullable Object value, int line) {}

  /**
   * A document's leaves.
   *
   * @param complete false when reading stopped early, so that an absent key says nothing
   */
  record Document(List<Leaf> leaves, boolean complete) {}

  private static final YAMLFactory YAML = new YAMLFactory();

  private final String name;
  private final List<Leaf> leaves = new ArrayList<>();
  private final Map<String, Integer> lines = new HashMap<>();
  private final List<String> problems;
  private boolean complete;

  private YamlText(String name, List<String> problems) {
    this.name = name;
    this.problems = problems;
  }

  /** The document's leaves; what is wrong with the document is added to {@code problems}. */
  static Document read(String name, String text, List<String> problems) {
    YamlText document = new YamlText(name, problems);
    try (YAMLParser parser = YAML.createParser(text)) {
      document.readAll(parser);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Document(document.leaves, document.complete);
  }

  private void readAll(YAMLParser parser) throws IOException {
    try {
      read(parser);
    } catch (JsonProcessingException e) {
      // The parser's own message quotes the text, in which a secret may stand.
      int line = e.getLocation() == null ? line(parser) : e.getLocation().getLineNr();
      String why = e instanceof StreamConstraintsException ? ", or it is nested too deep" : "";
      problems.add(name + ":" + line + ": this is not valid YAML" + why);
    }
  }

  /** The value of a flow list or map inside an argument, or null when it is not one. */
  @Nullable
  static Object inlineValue(String text) {
    List<String> problems = new ArrayList<>();
    Map<String, Object> map = new LinkedHashMap<>();
    for (Leaf leaf : read("value", "value: " + text, problems).leaves()) {
      if (leaf.key().equals("value")) {
        return problems.isEmpty() ? leaf.value() : null;
      }
      map.put(leaf.key().substring("value.".length()), leaf.value());
    }
    return problems.isEmpty() ? map : null;
  }

  private void read(YAMLParser parser) throws IOException {
    JsonToken first = parser.nextToken();
    if (first == null || first == JsonToken.VALUE_NULL) {
      complete = true;
      return;
    }
    if (first != JsonToken.START_OBJECT) {
      problem(parser, "expected keys and values, one per line");
      return;
    }
    readObject(parser, "");
    complete = true;
    if (parser.nextToken() != null) {
      problem(parser, "a configuration is one document, but here a second one begins");
    }
  }

  private void readObject(YAMLParser parser, String prefix) throws IOException {
    Map<String, Integer> own = new HashMap<>();
    int count = 0;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      count++;
      String field = parser.currentName();
      String key = prefix.isEmpty() ? field : prefix + "." + field;
      int line = line(parser);
      Integer before = own.putIfAbsent(field, line);
      if (before != null) {
        duplicate(key, before, line);
      }
      readValue(parser, key, line, before != null);
    }
    if (count == 0 && !prefix.isEmpty()) {
      leaf(prefix, Map.of(), line(parser), false);
    }
  }

  private void readValue(YAMLParser parser, String key, int line, boolean reported)
      throws IOException {
    JsonToken token = parser.nextToken();
    if (parser.isCurrentAlias()) {
      problem(parser, "'" + key + "' is an alias; write its value out");
    } else if (token == JsonToken.START_OBJECT) {
      readObject(parser, key);
    } else if (token == JsonToken.START_ARRAY) {
      leaf(key, readList(parser, key), line, reported);
    } else if (token == JsonToken.VALUE_NULL) {
      leaf(key, null, line, reported);
    } else {
      leaf(key, parser.getText(), line, reported);
    }
  }

  private List<String> readList(YAMLParser parser, String key) throws IOException {
    List<String> elements = new ArrayList<>();
    JsonToken token = parser.nextToken();
    while (token != null && token != JsonToken.END_ARRAY) {
      if (token.isScalarValue() && token != JsonToken.VALUE_NULL && !parser.isCurrentAlias()) {
        elements.add(parser.getText());
      } else {
        problem(parser, "'" + key + "' is a list, and its elements may only be plain values");
        parser.skipChildren();
      }
      token = parser.nextToken();
    }
    return elements;
  }

  private void leaf(String key, @Nullable Object value, int line, boolean reported) {
    Integer before = lines.putIfAbsent(key, line);
    if (before == null) {
      leaves.add(new Leaf(key, value, line));
    } else if (!reported) {
      duplicate(key, before, line);
    }
  }

  private void duplicate(String key, int before, int line) {
    problems.add(
        name + ":" + line + ": duplicate key '" + key + "', given in line " + before + " already");
  }

  private void problem(JsonParser parser, String message) {
    problems.add(name + ":" + line(parser) + ": " + message);
  }

  private static int line(JsonParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }
}
