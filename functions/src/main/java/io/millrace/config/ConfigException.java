package io.millrace.config;

import java.util.List;
import java.util.stream.Collectors;

/** Everything that is wrong with a configuration, one line per problem. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int MOST_TOLD = 100;
  private static final int MOST_CHARACTERS = 2_000;

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
    List<String> told = problems.subList(0, Math.min(problems.size(), MOST_TOLD));
    String rest =
        told.size() == problems.size() ? "" : "\n  and " + (problems.size() - MOST_TOLD) + " more";
    String lines = told.stream().map(ConfigException::cut).collect(Collectors.joining("\n  "));
    return count + " in the configuration:\n  " + lines + rest;
  }

  private static String cut(String problem) {
    return problem.length() <= MOST_CHARACTERS
        ? problem
        : problem.substring(0, MOST_CHARACTERS) + "...";
  }
}
