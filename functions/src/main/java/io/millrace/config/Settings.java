package io.millrace.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.apache.flink.configuration.ConfigOption;

/** The typed values of a job's options, from which its config record is made. */
public final class Settings {
  /** Ends the making of a record from values that are missing; their problems are noted already. */
  static final class Unavailable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unavailable() {
      super(null, null, false, false);
    }
  }

  /**
   * One line of {@link #describe()}.
   *
   * @param value as written by a person, redacted
   * @param source {@code default}, {@code file} or {@code override}
   */
  public record Effective(String key, String value, String source) {
    @Override
    public String toString() {
      return key + " = " + value + " (" + source + ")";
    }
  }

  /** Whose value stands, and where to find it: empty for a default. */
  record Given(Object value, String source, String location) {}

  private final OptionSet options;
  private final Map<String, Given> values;
  private final Map<String, Map<String, Given>> passThrough;
  private final Set<String> broken;
  private final List<String> problems;

  Settings(
      OptionSet options,
      Map<String, Given> values,
      Map<String, Map<String, Given>> passThrough,
      Set<String> broken,
      List<String> problems) {
    this.options = options;
    this.values = values;
    this.passThrough = passThrough;
    this.broken = broken;
    this.problems = problems;
  }

  /** The value of an option that has a default or is required. */
  public <T> T get(ConfigOption<T> option) {
    OptionSet.Declared<?> declared = declared(option);
    T value = lookUp(option);
    if (value != null) {
      return value;
    }
    if (declared.kind().isRequired() || broken.contains(option.key())) {
      throw new Unavailable();
    }
    throw new IllegalArgumentException(
        "option '" + option.key() + "' may be left out: read it with find()");
  }

  /** The value of an option that may be left out. */
  public <T> Optional<T> find(ConfigOption<T> option) {
    declared(option);
    return Optional.ofNullable(lookUp(option));
  }

  /** The reference of a required secret. */
  public Secret secret(ConfigOption<String> option) {
    return findSecret(option)
        .orElseThrow(
            () ->
                declared(option).kind().isRequired() || broken.contains(option.key())
                    ? new Unavailable()
                    : new IllegalArgumentException(
                        "secret '" + option.key() + "' may be left out: use findSecret()"));
  }

  /** The reference of a secret that may be left out. */
  public Optional<Secret> findSecret(ConfigOption<String> option) {
    if (!declared(option).kind().isSecret()) {
      throw new IllegalArgumentException("option '" + option.key() + "' is no secret");
    }
    Given given = values.get(option.key());
    return Optional.ofNullable(given).map(secret -> (Secret) secret.value());
  }

  /** The properties given under a pass-through prefix, without the prefix. */
  public PassThrough properties(String prefix) {
    Map<String, Given> given = passThrough.get(prefix);
    if (given == null) {
      throw new IllegalArgumentException("prefix '" + prefix + "' is not declared");
    }
    Map<String, String> properties = new LinkedHashMap<>();
    given.forEach((key, value) -> properties.put(key, (String) value.value()));
    return PassThrough.of(properties);
  }

  /**
   * Notes a problem with an option's value unless {@code holds}; every problem noted while the
   * config record is made is reported together with all others.
   *
   * @param message completes a sentence that begins with key and value, such as "must be positive"
   */
  public void require(boolean holds, ConfigOption<?> option, String message) {
    declared(option);
    if (!holds && !broken.contains(option.key())) {
      problems.add(sentence(option, message));
    }
  }

  /** Every key with its redacted value and where that comes from; keys without a value left out. */
  public List<Effective> effective() {
    List<Effective> lines = new ArrayList<>();
    for (OptionSet.Declared<?> declared : options.declared().values()) {
      ConfigOption<?> option = declared.option();
      Given given = values.get(option.key());
      if (given != null) {
        lines.add(new Effective(option.key(), shown(option.key(), given.value()), given.source()));
      } else if (option.hasDefaultValue()) {
        lines.add(
            new Effective(option.key(), shown(option.key(), option.defaultValue()), "default"));
      }
    }
    passThrough.forEach(
        (prefix, properties) ->
            properties.forEach(
                (key, given) ->
                    lines.add(
                        new Effective(
                            prefix + "." + key, shown(key, given.value()), given.source()))));
    return lines;
  }

  /** {@link #effective()} as text, one line per key, for a job's log. */
  public String describe() {
    return effective().stream().map(Effective::toString).collect(Collectors.joining("\n"));
  }

  @Override
  public String toString() {
    return describe();
  }

  boolean isBroken(ConfigOption<?> option) {
    return broken.contains(option.key());
  }

  /** Key and value before {@code message}, with the place where the value was given. */
  String sentence(ConfigOption<?> option, String message) {
    Given given = values.get(option.key());
    Object value = given == null ? option.defaultValue() : given.value();
    String place = given == null ? "" : given.location();
    String is =
        value == null ? " is not set, but " : " is '" + shown(option.key(), value) + "', but ";
    return place + "'" + option.key() + "'" + is + message;
  }

  private static String shown(String key, Object value) {
    return Redaction.redact(key, OptionType.text(value));
  }

  @Nullable
  @SuppressWarnings("unchecked")
  private <T> T lookUp(ConfigOption<T> option) {
    if (declared(option).kind().isSecret()) {
      throw new IllegalArgumentException(
          "option '" + option.key() + "' is a secret: read it with secret()");
    }
    Given given = values.get(option.key());
    return given == null ? option.defaultValue() : (T) given.value();
  }

  private OptionSet.Declared<?> declared(ConfigOption<?> option) {
    OptionSet.Declared<?> declared = options.declared().get(option.key());
    if (declared == null) {
      throw new IllegalArgumentException("option '" + option.key() + "' is not declared");
    }
    return declared;
  }
}
