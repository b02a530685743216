package io.millrace.config;

import java.io.Serializable;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
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

  private static final String PROVIDERS = "config.providers";

  /** By name: this module knows no Kafka, and every jar that brings Kafka brings them, too. */
  private static final Map<String, String> KAFKA_READERS =
      Map.of(
          "env", "io.millrace.job.engagement.KafkaSecrets$Variables",
          "file", "io.millrace.job.engagement.KafkaSecrets$Files");

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

  /**
   * The values with references unread, and the settings by which Kafka's clients read them where
   * they are made: nothing that keeps or prints these holds a secret.
   */
  public Map<String, String> forKafka() {
    Map<String, String> settings = new TreeMap<>(values);
    Set<String> providers = new LinkedHashSet<>();
    Arrays.stream(values.getOrDefault(PROVIDERS, "").split(",", -1))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .forEach(providers::add);
    KAFKA_READERS.forEach(
        (name, reader) -> {
          providers.add(name);
          settings.put(PROVIDERS + "." + name + ".class", reader);
        });
    settings.put(PROVIDERS, String.join(",", providers));
    return settings;
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
