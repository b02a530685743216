package io.millrace.config;

import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Properties handed on to a client as they are, such as all of Kafka's: values may hold {@code
 * ${env:NAME}} and {@code ${file:/path}}, which are read where the client is made.
 */
public final class PassThrough implements Serializable {
  private static final long serialVersionUID = 1L;

  /** No property at all. */
  public static final PassThrough NONE = new PassThrough(Map.of());

  private final TreeMap<String, String> values;

  private PassThrough(Map<String, String> values) {
    this.values = new TreeMap<>(values);
  }

  /** Keys without their prefix, values with references unread. */
  public static PassThrough of(Map<String, String> values) {
    return new PassThrough(values);
  }

  /** The values as written, references unread; never print this map. */
  public Map<String, String> unresolved() {
    return Map.copyOf(values);
  }

  /**
   * The values with every reference read; never print this map.
   *
   * @throws ConfigException naming the reference when there is nothing to read
   */
  public Map<String, String> resolve() {
    return resolve(System::getenv);
  }

  Map<String, String> resolve(UnaryOperator<String> environment) {
    Map<String, String> resolved = new TreeMap<>();
    values.forEach(
        (key, value) -> resolved.put(key, References.resolvePlaceholders(value, environment)));
    return resolved;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PassThrough that && values.equals(that.values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    return values.entrySet().stream()
        .map(entry -> entry.getKey() + "=" + Redaction.redact(entry.getKey(), entry.getValue()))
        .collect(Collectors.joining(", ", "{", "}"));
  }
}
