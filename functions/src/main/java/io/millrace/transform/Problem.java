package io.millrace.transform;

import javax.annotation.Nullable;

/**
 * Something wrong with a pipeline, or only doubtful.
 *
 * @param step the step's id; null when it concerns the pipeline as a whole
 * @param key the key in the step, such as {@code strategy} or {@code depends_on}; null for none
 * @param message what it is, with the value and what is allowed
 * @param line the line of the YAML file, or 0 where there is none
 */
public record Problem(
    Severity severity, @Nullable String step, @Nullable String key, String message, int line) {

  /** Whether the pipeline may run. */
  public enum Severity {
    ERROR,
    WARNING
  }

  public static Problem error(@Nullable String step, @Nullable String key, String message) {
    return new Problem(Severity.ERROR, step, key, message, 0);
  }

  public static Problem warning(@Nullable String step, @Nullable String key, String message) {
    return new Problem(Severity.WARNING, step, key, message, 0);
  }

  public boolean isError() {
    return severity == Severity.ERROR;
  }

  public Problem atLine(int number) {
    return new Problem(severity, step, key, message, number);
  }

  /** One line: {@code step 'clean': strategy is 'mean', but must be one of ...}. */
  @Override
  public String toString() {
    return (line > 0 ? "line " + line + ": " : "")
        + (step == null ? "" : "step '" + step + "': ")
        + message;
  }
}
