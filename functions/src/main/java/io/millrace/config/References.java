package io.millrace.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what {@code env:NAME} and {@code file:/path} refer to. */
final class References {
  private static final Pattern REFERENCE = Pattern.compile("env:[A-Za-z_][A-Za-z0-9_]*|file:/\\S*");
  private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{((?:env|file):[^}]*)}");

  private References() {}

  static boolean isReference(String text) {
    return REFERENCE.matcher(text).matches();
  }

  /** The first placeholder of a value that is not a well-formed reference, or null. */
  static String firstBadPlaceholder(String value) {
    Matcher matcher = PLACEHOLDER.matcher(value);
    while (matcher.find()) {
      if (!isReference(matcher.group(1))) {
        return matcher.group();
      }
    }
    return null;
  }

  static String resolve(String reference, UnaryOperator<String> environment) {
    if (reference.startsWith("env:")) {
      String value = environment.apply(reference.substring("env:".length()));
      if (value == null || value.isEmpty()) {
        throw unavailable(reference, "the environment variable is not set");
      }
      return value;
    }
    String value;
    try {
      value =
          Files.readString(Path.of(reference.substring("file:".length())), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw unavailable(reference, "there is no such file");
    } catch (IOException | InvalidPathException e) {
      // The cause is left out: a decoding error may quote what it read.
      throw unavailable(reference, "the file cannot be read as UTF-8 text");
    }
    String withoutNewline = value.replaceFirst("\\R\\z", "");
    if (withoutNewline.isEmpty()) {
      throw unavailable(reference, "the file is empty");
    }
    return withoutNewline;
  }

  static String resolvePlaceholders(String value, UnaryOperator<String> environment) {
    return PLACEHOLDER
        .matcher(value)
        .replaceAll(found -> Matcher.quoteReplacement(resolve(found.group(1), environment)));
  }

  private static ConfigException unavailable(String reference, String why) {
    return new ConfigException(List.of("cannot read '" + reference + "': " + why));
  }
}
