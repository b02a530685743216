package io.millrace.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.config.NearestKey;
import io.millrace.config.Redaction;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Collectors;

/** Values and names as messages show them: short, on one line, and without secrets. */
final class Shown {
  private static final int LONGEST = 60;
  private static final int MOST_NAMES = 30;

  private Shown() {}

  /** {@code 'a text'}, {@code 5}, {@code a map}. */
  static String value(String key, JsonNode value) {
    if (value.isTextual()) {
      return "'" + clip(Redaction.redact(key, value.asText())) + "'";
    } else if (value.isObject()) {
      return "a map";
    } else if (value.isArray()) {
      return "a list";
    } else if (value.isNull()) {
      return "empty";
    }
    return clip(value.asText());
  }

  /** The text, cut where it is long or a second line begins. */
  static String clip(String text) {
    int end = Math.min(text.length(), LONGEST);
    for (int i = 0; i < end; i++) {
      if (Character.isISOControl(text.charAt(i))) {
        end = i;
      }
    }
    return end == text.length() ? text : text.substring(0, end) + "...";
  }

  /** The end of a message about an unknown name: the nearest known one, or all of them. */
  static String nearest(String name, Collection<String> known) {
    Optional<String> near =
        name.length() > LONGEST ? Optional.empty() : NearestKey.find(name, known);
    if (near.isPresent()) {
      return "; did you mean '" + near.get() + "'?";
    } else if (known.isEmpty()) {
      return "";
    }
    return (known.size() == 1 ? "; there is " : "; there are ")
        + known.stream().limit(MOST_NAMES).map(Shown::clip).collect(Collectors.joining(", "))
        + (known.size() > MOST_NAMES ? ", ..." : "");
  }
}
