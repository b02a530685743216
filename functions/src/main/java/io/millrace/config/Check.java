package io.millrace.config;

import java.util.Objects;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * What a single option's value has to satisfy beyond its type.
 *
 * @param mustBe completes the sentence "but must be ..."
 */
public record Check<T>(String mustBe, Predicate<? super T> holds) {
  public Check {
    Objects.requireNonNull(mustBe, "mustBe");
    Objects.requireNonNull(holds, "holds");
  }

  /** A check of its own; {@code mustBe} completes the sentence "but must be ...". */
  public static <T> Check<T> of(String mustBe, Predicate<? super T> holds) {
    return new Check<>(mustBe, holds);
  }

  /** At least {@code min}; for durations, sizes and numbers alike. */
  public static <T extends Comparable<? super T>> Check<T> atLeast(T min) {
    return of("at least " + OptionType.text(min), value -> value.compareTo(min) >= 0);
  }

  /** More than {@code bound}; for durations, sizes and numbers alike. */
  public static <T extends Comparable<? super T>> Check<T> moreThan(T bound) {
    return of("more than " + OptionType.text(bound), value -> value.compareTo(bound) > 0);
  }

  /** From {@code min} to {@code max}, both included. */
  public static <T extends Comparable<? super T>> Check<T> between(T min, T max) {
    return of(
        "from " + OptionType.text(min) + " to " + OptionType.text(max),
        value -> value.compareTo(min) >= 0 && value.compareTo(max) <= 0);
  }

  /** A string that matches the pattern as a whole. */
  public static Check<String> matching(String regex) {
    Predicate<String> matches = Pattern.compile(regex).asMatchPredicate();
    return of("of the form " + regex, matches);
  }
}
