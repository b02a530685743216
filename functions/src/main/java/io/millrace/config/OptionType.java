package io.millrace.config;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.util.TimeUtils;

/** How values of an option's type are read, written and explained. */
final class OptionType {
  /** The value does not have the type; what is allowed is for {@link #allowed()} to say. */
  static final class BadValueException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  private final Class<?> valueClass;
  private final boolean list;

  private OptionType(Class<?> valueClass, boolean list) {
    this.valueClass = valueClass;
    this.list = list;
  }

  static OptionType of(ConfigOption<?> option) {
    return new OptionType(
        (Class<?>) hidden(option, "getClazz"), (Boolean) hidden(option, "isList"));
  }

  /**
   * Flink has no public way to ask an option for its type, and no other package may declare one.
   */
  private static Object hidden(ConfigOption<?> option, String getter) {
    try {
      Method method = ConfigOption.class.getDeclaredMethod(getter);
      method.setAccessible(true);
      return method.invoke(option);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("ConfigOption." + getter + "() is not as in Flink 2.3", e);
    }
  }

  boolean isMap() {
    return !list && Map.class.isAssignableFrom(valueClass);
  }

  /** Reads a value as it stands in a file or argument: a string, a list of strings or a map. */
  Object parse(Object raw) throws BadValueException {
    if (list) {
      List<Object> values = new ArrayList<>();
      for (String element : elements(raw)) {
        values.add(parseOne(element));
      }
      return List.copyOf(values);
    }
    if (isMap()) {
      return parseMap(raw);
    }
    if (raw instanceof String text) {
      return parseOne(text);
    }
    throw new BadValueException();
  }

  private static List<String> elements(Object raw) throws BadValueException {
    Object value = raw;
    if (raw instanceof String text) {
      String trimmed = text.trim();
      if (trimmed.isEmpty()) {
        return List.of();
      }
      if (!trimmed.startsWith("[")) {
        String separator = trimmed.contains(";") ? ";" : ",";
        return Arrays.stream(trimmed.split(separator, -1)).map(String::trim).toList();
      }
      value = YamlText.inlineValue(trimmed);
    }
    if (!(value instanceof List<?> items)) {
      throw new BadValueException();
    }
    return items.stream().map(String.class::cast).toList();
  }

  private static Map<String, String> parseMap(Object raw) throws BadValueException {
    Object value = raw;
    Map<String, String> entries = new LinkedHashMap<>();
    if (raw instanceof String text) {
      String trimmed = text.trim();
      if (!trimmed.startsWith("{")) {
        for (String pair : trimmed.isEmpty() ? new String[0] : trimmed.split(",", -1)) {
          int colon = pair.indexOf(':');
          if (colon <= 0
              || entries.put(pair.substring(0, colon).trim(), pair.substring(colon + 1).trim())
                  != null) {
            throw new BadValueException();
          }
        }
        return entries;
      }
      value = YamlText.inlineValue(trimmed);
    }
    if (!(value instanceof Map<?, ?> map)) {
      throw new BadValueException();
    }
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      if (!(entry.getValue() instanceof String text)) {
        throw new BadValueException();
      }
      entries.put((String) entry.getKey(), text);
    }
    return entries;
  }

  private Object parseOne(String text) throws BadValueException {
    String trimmed = text.trim();
    try {
      if (valueClass == String.class) {
        return text;
      } else if (valueClass == Boolean.class) {
        return parseBoolean(trimmed);
      } else if (valueClass == Integer.class) {
        return Integer.valueOf(trimmed);
      } else if (valueClass == Long.class) {
        return Long.valueOf(trimmed);
      } else if (valueClass == Float.class) {
        return finite(Float.parseFloat(trimmed)).floatValue();
      } else if (valueClass == Double.class) {
        return finite(Double.parseDouble(trimmed));
      } else if (valueClass == Duration.class) {
        requireUnit(trimmed);
        return TimeUtils.parseDuration(trimmed);
      } else if (valueClass == MemorySize.class) {
        requireUnit(trimmed);
        return MemorySize.parse(trimmed);
      } else if (valueClass.isEnum()) {
        return parseEnum(trimmed);
      }
    } catch (IllegalArgumentException e) {
      throw new BadValueException();
    }
    throw new IllegalStateException("no option of type " + valueClass.getName() + " can be read");
  }

  private static Boolean parseBoolean(String text) throws BadValueException {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new BadValueException();
    };
  }

  private static Double finite(double value) throws BadValueException {
    if (!Double.isFinite(value)) {
      throw new BadValueException();
    }
    return value;
  }

  /** Flink reads a bare number as milliseconds or bytes; here a unit is always written. */
  private static void requireUnit(String text) throws BadValueException {
    if (text.isEmpty() || Character.isDigit(text.charAt(text.length() - 1))) {
      throw new BadValueException();
    }
  }

  private Object parseEnum(String text) throws BadValueException {
    for (Object constant : valueClass.getEnumConstants()) {
      if (text(constant).equalsIgnoreCase(text.replace('_', '-'))) {
        return constant;
      }
    }
    throw new BadValueException();
  }

  /** The type in a table of options. */
  String name() {
    if (isMap()) {
      return "map";
    }
    return list ? "list of " + elementName() : elementName();
  }

  private String elementName() {
    if (valueClass.isEnum()) {
      return constants(" / ");
    } else if (valueClass == MemorySize.class) {
      return "size";
    } else if (valueClass == Integer.class || valueClass == Long.class) {
      return "integer";
    } else if (valueClass == Float.class || valueClass == Double.class) {
      return "number";
    }
    return valueClass.getSimpleName().toLowerCase(Locale.ROOT);
  }

  /** What may be given, as the end of a sentence. */
  String allowed() {
    if (isMap()) {
      return "a map of strings";
    }
    return list ? "a list, each element " + allowedElement() : allowedElement();
  }

  private String allowedElement() {
    if (valueClass.isEnum()) {
      return "one of " + constants(", ");
    } else if (valueClass == Boolean.class) {
      return "true or false";
    } else if (valueClass == Duration.class) {
      return "a duration with a unit (ms, s, min, h, d)";
    } else if (valueClass == MemorySize.class) {
      return "a size with a unit (b, kb, mb, gb)";
    } else if (valueClass == Integer.class) {
      return "a whole number";
    } else if (valueClass == Long.class) {
      return "a whole number";
    } else if (valueClass == String.class) {
      return "a single string";
    }
    return "a number";
  }

  /** A value that would be accepted: the default where there is one. */
  String example(ConfigOption<?> option) {
    if (option.hasDefaultValue() && !text(option.defaultValue()).isEmpty()) {
      return text(option.defaultValue());
    } else if (isMap()) {
      return "a:1,b:2";
    } else if (valueClass.isEnum()) {
      return text(valueClass.getEnumConstants()[0]);
    } else if (valueClass == Boolean.class) {
      return "true";
    } else if (valueClass == Duration.class) {
      return "10 min";
    } else if (valueClass == MemorySize.class) {
      return "64 mb";
    } else if (valueClass == String.class) {
      return "text";
    }
    return valueClass == Integer.class || valueClass == Long.class ? "4" : "0.5";
  }

  private String constants(String separator) {
    return Arrays.stream(valueClass.getEnumConstants())
        .map(OptionType::text)
        .collect(Collectors.joining(separator));
  }

  /** A value as a person would write it in a file. */
  static String text(@Nullable Object value) {
    if (value == null) {
      return "";
    } else if (value instanceof Duration duration) {
      return TimeUtils.formatWithHighestUnit(duration);
    } else if (value instanceof Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    } else if (value instanceof List<?> values) {
      return values.stream().map(OptionType::text).collect(Collectors.joining(";"));
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(
              entry -> {
                String key = text(entry.getKey());
                return key + ":" + Redaction.redact(key, text(entry.getValue()));
              })
          .collect(Collectors.joining(","));
    }
    return value.toString();
  }
}
