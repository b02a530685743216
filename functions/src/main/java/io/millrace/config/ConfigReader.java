package io.millrace.config;

import io.millrace.config.OptionSet.Declared;
import io.millrace.config.Settings.Given;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import javax.annotation.Nullable;
import org.apache.flink.configuration.ConfigOption;

/**
 * Reads a job's configuration: a YAML file, over it the overrides, over those the arguments.
 *
 * <pre>{@code
 * EngagementConfig config =
 *     ConfigReader.of(OPTIONS).arguments(args).build(Config::from);
 * }</pre>
 *
 * <p>Every problem is collected, and all of them are reported in one {@link ConfigException}.
 */
public final class ConfigReader {
  private static final String FILE = "file";
  private static final String OVERRIDE = "override";
  private static final int MAX_BYTES = 1 << 20;
  private static final int MOST_HINTS = 100;

  private final OptionSet options;
  private final Map<String, Given> file = new LinkedHashMap<>();
  private final Map<String, Given> overrides = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();
  private final Set<String> broken = new HashSet<>();
  @Nullable private String fileName;
  private boolean fileComplete = true;

  private ConfigReader(OptionSet options) {
    this.options = options;
  }

  public static ConfigReader of(OptionSet options) {
    return new ConfigReader(options);
  }

  /** Reads a YAML file of nested maps, dotted keys, or both; one file at most. */
  public ConfigReader file(Path path) {
    try {
      // Read up to a bound and not to an end, which /dev/zero, for one, has not.
      byte[] bytes;
      try (InputStream in = Files.newInputStream(path)) {
        bytes = in.readNBytes(MAX_BYTES + 1);
      }
      if (bytes.length > MAX_BYTES) {
        problems.add(
            "'" + path + "' has more than " + MAX_BYTES + " bytes, more than any job needs");
        fileComplete = false;
        return this;
      }
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return yaml(String.valueOf(path.getFileName()), text);
    } catch (NoSuchFileException e) {
      problems.add("there is no file '" + path + "'");
      fileComplete = false;
    } catch (IOException e) {
      problems.add("cannot read '" + path + "' as UTF-8 text");
      fileComplete = false;
    }
    return this;
  }

  /** Reads YAML text; {@code name} is what problems call it. */
  public ConfigReader yaml(String name, String text) {
    if (fileName != null) {
      problems.add("two files are given, '" + fileName + "' and '" + name + "'; one is allowed");
      return this;
    }
    fileName = name;
    YamlText.Document document = YamlText.read(name, text, problems);
    fileComplete = document.complete();
    for (YamlText.Leaf leaf : document.leaves()) {
      if (leaf.value() != null) {
        String location = name + ":" + leaf.line() + ": ";
        file.put(leaf.key(), new Given(leaf.value(), FILE, location));
      }
    }
    return this;
  }

  /** Values that replace those of the file. */
  public ConfigReader overrides(Map<String, String> values) {
    values.forEach((key, value) -> overrides.put(key, new Given(value, OVERRIDE, "override: ")));
    return this;
  }

  /**
   * Arguments as {@code --key value} or {@code --key=value}, where {@code --config FILE} names the
   * file; a boolean option may stand alone for true.
   */
  public ConfigReader arguments(String... arguments) {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < arguments.length; i++) {
      String argument = arguments[i];
      if (!argument.startsWith("--") || argument.length() == 2) {
        // Not repeated: it may be a part of a secret.
        problems.add("argument " + (i + 1) + " is not of the form --key value or --key=value");
        continue;
      }
      int equals = argument.indexOf('=');
      String key = argument.substring(2, equals < 0 ? argument.length() : equals);
      String value = equals < 0 ? null : argument.substring(equals + 1);
      if (value == null && i + 1 < arguments.length && !arguments[i + 1].startsWith("--")) {
        value = arguments[++i];
      }
      if (!seen.add(key)) {
        problems.add("argument '--" + key + "' is given twice");
      } else if (value == null && !isBoolean(key)) {
        problems.add("argument '--" + key + "' has no value");
        broken.add(key);
      } else if (key.equals("config")) {
        namedFile(value);
      } else {
        String given = value == null ? "true" : value;
        overrides.put(key, new Given(given, OVERRIDE, "argument: "));
      }
    }
    return this;
  }

  private void namedFile(String name) {
    try {
      file(Path.of(name));
    } catch (InvalidPathException e) {
      problems.add("argument '--config' is no path of a file");
      fileComplete = false;
    }
  }

  /** Reads the values; throws when there is any problem. */
  public Settings read() {
    return build(settings -> settings);
  }

  /**
   * Makes the config record from the values. What the record's maker requires is checked together
   * with everything else, and an {@link IllegalArgumentException} of its constructor is a problem
   * too.
   *
   * @throws ConfigException with all problems
   */
  public <T> T build(Function<Settings, T> maker) {
    Settings settings = settle();
    T made = null;
    Throwable cause = null;
    try {
      made = maker.apply(settings);
    } catch (Settings.Unavailable e) {
      // The missing value has been noted by settle().
      cause = null;
    } catch (IllegalArgumentException e) {
      if (problems.isEmpty()) {
        problems.add(String.valueOf(e.getMessage()));
        cause = e;
      }
    }
    if (!problems.isEmpty()) {
      throw new ConfigException(problems, cause);
    }
    return made;
  }

  private Settings settle() {
    refuseUnknown(file);
    refuseUnknown(overrides);
    Map<String, Given> values = new LinkedHashMap<>();
    for (Declared<?> declared : options.declared().values()) {
      Given raw = declared.type().isMap() ? mapOf(declared) : rawOf(declared);
      settle(declared, raw, values);
    }
    Map<String, Map<String, Given>> passThrough = new LinkedHashMap<>();
    for (String prefix : options.prefixes().keySet()) {
      Map<String, Given> properties = new TreeMap<>(under(prefix, file));
      properties.putAll(under(prefix, overrides));
      properties.forEach((key, given) -> checkProperty(prefix + "." + key, given));
      passThrough.put(prefix, properties);
    }
    Settings settings = new Settings(options, values, passThrough, broken, problems);
    options.declared().values().forEach(declared -> runChecks(declared, settings));
    if (fileComplete) {
      options.rules().forEach(rule -> runRule(rule, settings));
    }
    return settings;
  }

  private void settle(Declared<?> declared, @Nullable Given raw, Map<String, Given> values) {
    String key = declared.option().key();
    boolean missing = raw == null || raw.value().equals("");
    if (missing && declared.kind().isRequired()) {
      if (broken.add(key) && fileComplete) {
        problems.add("missing required key '" + key + "'");
      }
      return;
    }
    if (raw == null) {
      return;
    }
    Object value = convert(declared, raw);
    if (value == null) {
      broken.add(key);
    } else {
      values.put(key, new Given(value, raw.source(), raw.location()));
    }
  }

  /** The typed value, or null after noting that the value is bad. */
  @Nullable
  private Object convert(Declared<?> declared, Given raw) {
    String key = declared.option().key();
    if (declared.kind().isSecret()) {
      if (raw.value() instanceof String text && References.isReference(text)) {
        return Secret.of(text);
      }
      problems.add(
          raw.location()
              + "'"
              + key
              + "' is a secret, so it is given by reference: '"
              + key
              + ": env:NAME' for an environment variable, or '"
              + key
              + ": file:/path' for a file");
      return null;
    }
    OptionType type = declared.type();
    try {
      return type.parse(raw.value());
    } catch (OptionType.BadValueException e) {
      problems.add(
          raw.location()
              + "'"
              + key
              + "' is '"
              + Redaction.redact(key, OptionType.text(raw.value()))
              + "', but allowed is "
              + type.allowed()
              + ", for example '"
              + type.example(declared.option())
              + "'");
      return null;
    }
  }

  @Nullable
  private Given rawOf(Declared<?> declared) {
    Given override = oneOf(declared.option(), overrides);
    Given inFile = oneOf(declared.option(), file);
    return override != null ? override : inFile;
  }

  /** The value under the option's key or an older one of it. */
  @Nullable
  private Given oneOf(ConfigOption<?> option, Map<String, Given> layer) {
    Given found = layer.get(option.key());
    for (Map.Entry<String, String> fallback : options.fallbacks().entrySet()) {
      Given older = layer.get(fallback.getKey());
      if (older == null || !fallback.getValue().equals(option.key())) {
        continue;
      }
      if (found != null) {
        problems.add(
            older.location()
                + "'"
                + fallback.getKey()
                + "' is an older name of '"
                + option.key()
                + "', which is given too");
      } else {
        found = older;
      }
    }
    return found;
  }

  /** A map's entries may be given whole, or each under a key of its own. */
  @Nullable
  private Given mapOf(Declared<?> declared) {
    String key = declared.option().key();
    Given whole = oneOf(declared.option(), overrides);
    Map<String, Given> single = under(key, overrides);
    if (whole == null) {
      Given wholeInFile = oneOf(declared.option(), file);
      Map<String, Given> inFile = under(key, file);
      if (wholeInFile != null && !inFile.isEmpty()) {
        refuseBoth(key, wholeInFile);
      }
      if (!inFile.isEmpty()) {
        inFile.putAll(single);
        single = inFile;
      } else {
        whole = wholeInFile;
      }
    } else if (!single.isEmpty()) {
      refuseBoth(key, whole);
    }
    return whole == null ? joined(single) : addTo(declared, whole, single);
  }

  private void refuseBoth(String key, Given whole) {
    problems.add(whole.location() + "'" + key + "' is given both as a whole and entry by entry");
    broken.add(key);
  }

  @Nullable
  private static Given joined(Map<String, Given> entries) {
    if (entries.isEmpty()) {
      return null;
    }
    Map<String, Object> map = new LinkedHashMap<>();
    entries.forEach((key, given) -> map.put(key, given.value()));
    List<Given> all = List.copyOf(entries.values());
    Given last = all.get(all.size() - 1);
    return new Given(map, last.source(), last.location());
  }

  /** Single entries of an override replace those of a map that the file gives as a whole. */
  private static Given addTo(Declared<?> declared, Given whole, Map<String, Given> entries) {
    Given over = joined(entries);
    if (over == null) {
      return whole;
    }
    Map<String, Object> map = new LinkedHashMap<>();
    try {
      ((Map<?, ?>) declared.type().parse(whole.value())).forEach((k, v) -> map.put((String) k, v));
    } catch (OptionType.BadValueException e) {
      return whole;
    }
    ((Map<?, ?>) over.value()).forEach((k, v) -> map.put((String) k, v));
    return new Given(map, over.source(), over.location());
  }

  private static Map<String, Given> under(String prefix, Map<String, Given> layer) {
    Map<String, Given> found = new LinkedHashMap<>();
    layer.forEach(
        (key, given) -> {
          if (key.startsWith(prefix + ".")) {
            found.put(key.substring(prefix.length() + 1), given);
          }
        });
    return found;
  }

  private void checkProperty(String key, Given given) {
    if (!(given.value() instanceof String text)) {
      problems.add(given.location() + "'" + key + "' is not a single string");
      return;
    }
    String placeholder = References.firstBadPlaceholder(text);
    if (placeholder != null) {
      problems.add(
          given.location()
              + "'"
              + key
              + "' refers to '"
              + placeholder
              + "', but allowed are ${env:NAME} and ${file:/path}");
    }
  }

  private <T> void runChecks(Declared<T> declared, Settings settings) {
    if (declared.kind().isSecret() || settings.isBroken(declared.option())) {
      return;
    }
    settings
        .find(declared.option())
        .ifPresent(
            value -> {
              for (Check<T> check : declared.checks()) {
                if (!check.holds().test(value)) {
                  problems.add(settings.sentence(declared.option(), "must be " + check.mustBe()));
                  broken.add(declared.option().key());
                }
              }
            });
  }

  private void runRule(OptionSet.Rule rule, Settings settings) {
    if (rule.involved().stream().anyMatch(settings::isBroken)) {
      return;
    }
    try {
      if (!rule.holds().test(settings)) {
        problems.add(rule.message());
        rule.involved().forEach(option -> broken.add(option.key()));
      }
    } catch (Settings.Unavailable e) {
      // The rule reads a value whose own problem has been noted.
      return;
    }
  }

  private void refuseUnknown(Map<String, Given> layer) {
    layer.forEach(
        (key, given) -> {
          if (!isKnown(key, given)) {
            problems.add(given.location() + "unknown key '" + key + "'" + hint(key));
          }
        });
  }

  private String hint(String key) {
    // Who has so many of them made no typing errors.
    return problems.size() > MOST_HINTS
        ? ""
        : NearestKey.find(key, knownKeysLike(key))
            .map(known -> ", did you mean '" + known + "'?")
            .orElse(", --help lists the known ones");
  }

  private boolean isKnown(String key, Given given) {
    if (options.declared().containsKey(key)
        || options.fallbacks().containsKey(key)
        || options.prefixOf(key) != null) {
      return true;
    }
    if (given.value().equals(Map.of())) {
      // An empty section, such as a group whose keys are all commented out.
      return knownKeysLike(key).stream().anyMatch(known -> known.startsWith(key + "."));
    }
    return options.declared().values().stream()
        .anyMatch(d -> d.type().isMap() && key.startsWith(d.option().key() + "."));
  }

  /** All keys, and for each prefix the key as it would be under that prefix. */
  private Set<String> knownKeysLike(String key) {
    Set<String> known = new LinkedHashSet<>(options.declared().keySet());
    String[] words = key.split("\\.", -1);
    for (String prefix : options.prefixes().keySet()) {
      int depth = prefix.split("\\.", -1).length;
      StringBuilder candidate = new StringBuilder(prefix);
      for (int i = depth; i < words.length; i++) {
        candidate.append('.').append(words[i]);
      }
      known.add(words.length > depth ? candidate.toString() : prefix + ".*");
    }
    return known;
  }

  private boolean isBoolean(String key) {
    Declared<?> declared = options.declared().get(key);
    return declared != null && declared.type().name().equals("boolean");
  }
}
