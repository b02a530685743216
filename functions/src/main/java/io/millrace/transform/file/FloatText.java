package io.millrace.transform.file;

import com.fasterxml.jackson.core.io.NumberOutput;

/** Floating-point numbers as Python writes them: the fewest digits that read back the same. */
final class FloatText {
  private static final double EXACT_INTEGERS = 1e15;

  private FloatText() {}

  /** {@code 1.0}, {@code 0.0001}, {@code 1e-05}, {@code 1e+16}, {@code inf}; {@code nan}. */
  static String of(double value) {
    if (value == Math.rint(value) && Math.abs(value) < EXACT_INTEGERS) {
      return value == 0 && 1 / value < 0 ? "-0.0" : (long) value + ".0";
    }
    return Double.isFinite(value) ? python(NumberOutput.toString(value, true)) : notFinite(value);
  }

  static String of(float value) {
    return Float.isFinite(value) ? python(NumberOutput.toString(value, true)) : notFinite(value);
  }

  private static String notFinite(double value) {
    return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }

  /** From Java's form, which has an exponent below 1e-3 and from 1e7 on. */
  private static String python(String java) {
    int e = java.indexOf('E');
    if (e < 0) {
      return java;
    }
    boolean negative = java.charAt(0) == '-';
    int exponent = Integer.parseInt(java, e + 1, java.length(), 10);
    String digits = java.substring(negative ? 1 : 0, e).replace(".", "");
    if (digits.endsWith("0") && digits.length() > 1) {
      digits = digits.substring(0, digits.length() - 1);
    }
    StringBuilder text = new StringBuilder(negative ? "-" : "");
    if (exponent < -4 || exponent >= 16) {
      text.append(digits.charAt(0));
      if (digits.length() > 1) {
        text.append('.').append(digits, 1, digits.length());
      }
      text.append('e').append(exponent < 0 ? '-' : '+');
      int size = Math.abs(exponent);
      return text.append(size < 10 ? "0" : "").append(size).toString();
    }
    if (exponent < 0) {
      return text.append("0.").append("0".repeat(-exponent - 1)).append(digits).toString();
    }
    if (digits.length() <= exponent + 1) {
      return text.append(digits)
          .append("0".repeat(exponent + 1 - digits.length()))
          .append(".0")
          .toString();
    }
    return text.append(digits, 0, exponent + 1)
        .append('.')
        .append(digits, exponent + 1, digits.length())
        .toString();
  }
}
