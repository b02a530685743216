package io.millrace.transform.function;

import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code TO_NUMBER(text)}: the number that a text is, as {@code pandas.to_numeric(errors='coerce')}
 * reads it; null when it is none. Space around it is allowed, {@code 1e5} and {@code inf} are
 * numbers, {@code 1,000} and {@code 0x1F} are not.
 */
public final class ToNumber extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  /** No part of it can match in two ways, so that it takes linear time. */
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(?:[0-9]++(?:\\.[0-9]*+)?|\\.[0-9]++)(?:[eE][+-]?[0-9]++)?");

  @Nullable
  public Double eval(@Nullable String text) {
    if (text == null) {
      return null;
    }
    String number = text.strip();
    if (NUMBER.matcher(number).matches()) {
      return Double.valueOf(number);
    }
    return switch (number.toLowerCase(java.util.Locale.ROOT)) {
      case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
      case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
      default -> null;
    };
  }
}
