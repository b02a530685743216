package io.millrace.config;

import java.util.List;

/** Everything that is wrong with a configuration, one line per problem. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final List<String> problems;

  public ConfigException(List<String> problems) {
    this(problems, null);
  }

  public ConfigException(List<String> problems, Throwable cause) {
    super(message(problems), cause);
    this.problems = List.copyOf(problems);
  }

  /** The problems, in the order in which they were found. */
  public List<String> problems() {
    return problems;
  }

  private static String message(List<String> problems) {
    String count = problems.size() == 1 ? "1 problem" : problems.size() + " problems";
    return count + " in the configuration:\n  " + String.join("\n  ", problems);
  }
}
