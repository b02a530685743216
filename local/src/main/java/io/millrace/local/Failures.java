package io.millrace.local;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one line of a printed stack trace that tells a person what is wrong. */
final class Failures {
  private static final Pattern CLASS = Pattern.compile("(?:[a-z][a-z0-9_]*\\.)+[A-Z][\\w$]*");

  private Failures() {}

  /** The innermost cause, without the name of its class where it says something. */
  static String rootOf(String trace) {
    List<String> lines = trace.strip().lines().toList();
    String last = lines.isEmpty() ? "" : lines.get(0);
    for (String line : lines) {
      if (line.startsWith("Caused by: ")) {
        last = line.substring("Caused by: ".length());
      }
    }
    Matcher name = CLASS.matcher(last);
    while (name.lookingAt() && last.length() > name.end() + 2 && last.charAt(name.end()) == ':') {
      last = last.substring(name.end() + 2);
      name = CLASS.matcher(last);
    }
    return last.strip();
  }
}
