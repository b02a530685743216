package io.millrace.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import javax.annotation.Nullable;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.FallbackKey;

/**
 * Everything that a job can be told: its options, which of them are required or secret, what their
 * values have to satisfy, and the prefixes whose keys are handed on unread.
 */
public final class OptionSet {
  /** What an option is besides its type. */
  enum Kind {
    OPTIONAL,
    REQUIRED,
    SECRET,
    REQUIRED_SECRET;

    boolean isRequired() {
      return this == REQUIRED || this == REQUIRED_SECRET;
    }

    boolean isSecret() {
      return this == SECRET || this == REQUIRED_SECRET;
    }
  }

  record Declared<T>(ConfigOption<T> option, Kind kind, List<Check<T>> checks) {
    OptionType type() {
      return OptionType.of(option);
    }
  }

  record Prefix(String name, String description) {}

  record Rule(Predicate<Settings> holds, String message, List<ConfigOption<?>> involved) {}

  private final Map<String, Declared<?>> options;
  private final Map<String, Prefix> prefixes;
  private final List<Rule> rules;
  private final Map<String, String> fallbacks;

  private OptionSet(Builder builder) {
    this.options = Collections.unmodifiableMap(new LinkedHashMap<>(builder.options));
    this.prefixes = Collections.unmodifiableMap(new LinkedHashMap<>(builder.prefixes));
    this.rules = List.copyOf(builder.rules);
    this.fallbacks = new LinkedHashMap<>();
    for (Declared<?> declared : options.values()) {
      for (FallbackKey fallback : declared.option().fallbackKeys()) {
        fallbacks.put(fallback.getKey(), declared.option().key());
      }
    }
    for (String key : options.keySet()) {
      if (prefixOf(key) != null) {
        throw new IllegalArgumentException("option '" + key + "' lies under a pass-through prefix");
      }
    }
  }

  public static Builder builder() {
    return new Builder();
  }

  /** The declared options, in the order of their declaration. */
  public List<ConfigOption<?>> options() {
    List<ConfigOption<?>> declared = new ArrayList<>();
    options.values().forEach(option -> declared.add(option.option()));
    return declared;
  }

  Map<String, Declared<?>> declared() {
    return options;
  }

  Map<String, Prefix> prefixes() {
    return prefixes;
  }

  List<Rule> rules() {
    return rules;
  }

  /** Older keys of options that have been renamed, to their present keys. */
  Map<String, String> fallbacks() {
    return fallbacks;
  }

  /** The prefix that the key lies under, or null. */
  @Nullable
  String prefixOf(String key) {
    return prefixes.keySet().stream()
        .filter(prefix -> key.startsWith(prefix + "."))
        .findFirst()
        .orElse(null);
  }

  /** Collects declarations; a key can be declared once only. */
  public static final class Builder {
    private final Map<String, Declared<?>> options = new LinkedHashMap<>();
    private final Map<String, Prefix> prefixes = new LinkedHashMap<>();
    private final List<Rule> rules = new ArrayList<>();

    private Builder() {}

    /** An option with a default, or one that may be left out. */
    @SafeVarargs
    public final <T> Builder option(ConfigOption<T> option, Check<T>... checks) {
      List<Check<T>> all = new ArrayList<>();
      for (Check<T> check : checks) {
        all.add(check);
      }
      return add(new Declared<>(option, Kind.OPTIONAL, all));
    }

    /** An option that has to be given. */
    @SafeVarargs
    public final <T> Builder required(ConfigOption<T> option, Check<T>... checks) {
      List<Check<T>> all = new ArrayList<>();
      for (Check<T> check : checks) {
        all.add(check);
      }
      return add(new Declared<>(option, Kind.REQUIRED, all));
    }

    /** An option that may be left out, and whose value is given by reference only. */
    public Builder secret(ConfigOption<String> option) {
      return add(new Declared<>(option, Kind.SECRET, List.of()));
    }

    /** An option that has to be given, and whose value is given by reference only. */
    public Builder requiredSecret(ConfigOption<String> option) {
      return add(new Declared<>(option, Kind.REQUIRED_SECRET, List.of()));
    }

    /** Every key under {@code prefix} and a dot is handed on with its value as it is. */
    public Builder passThrough(String prefix, String description) {
      if (prefixes.put(prefix, new Prefix(prefix, description)) != null) {
        throw new IllegalArgumentException("prefix '" + prefix + "' is declared twice");
      }
      return this;
    }

    /** What several options have to satisfy together; not tried when one of them is bad. */
    public Builder rule(Predicate<Settings> holds, String message, ConfigOption<?>... involved) {
      rules.add(new Rule(holds, message, List.of(involved)));
      return this;
    }

    /** Everything that {@code other} declares. */
    public Builder include(OptionSet other) {
      other.options.values().forEach(this::add);
      other.prefixes.values().forEach(p -> passThrough(p.name(), p.description()));
      rules.addAll(other.rules);
      return this;
    }

    public OptionSet build() {
      return new OptionSet(this);
    }

    private Builder add(Declared<?> declared) {
      ConfigOption<?> option = declared.option();
      if (option.hasDefaultValue() && declared.kind() != Kind.OPTIONAL) {
        throw new IllegalArgumentException(
            "option '" + option.key() + "' is required or secret, so it cannot have a default");
      }
      if (options.put(option.key(), declared) != null) {
        throw new IllegalArgumentException("option '" + option.key() + "' is declared twice");
      }
      return this;
    }
  }
}
