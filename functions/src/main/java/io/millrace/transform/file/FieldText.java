package io.millrace.transform.file;

import com.fasterxml.jackson.core.io.NumberInput;

/**
 * Reads numbers and booleans out of the characters of one field, spelled as pandas' {@code
 * read_csv} takes them: spaces around numbers, a plus sign, {@code 1e5}, {@code inf}, {@code True}.
 * One object per reader; a parsed value stands in it until the next.
 */
final class FieldText {
  /** What a field's text could be, the narrowest first. */
  enum Kind {
    INTEGER(1),
    /** Digits beyond a BIGINT. */
    BIG_INTEGER(2),
    DECIMAL(4),
    BOOLEAN(8),
    TEXT(16);

    private final int bit;

    Kind(int bit) {
      this.bit = bit;
    }

    /** One bit, so that the kinds in a column are a set. */
    int bit() {
      return bit;
    }
  }

  private static final String[] TRUE = {"True", "TRUE", "true"};
  private static final String[] FALSE = {"False", "FALSE", "false"};
  private static final String[] INFINITE = {"inf", "infinity"};

  private static final int EXACT_DIGITS = 15;
  private static final double[] POWERS = new double[23];

  static {
    POWERS[0] = 1;
    for (int i = 1; i < POWERS.length; i++) {
      POWERS[i] = POWERS[i - 1] * 10;
    }
  }

  private long longValue;
  private double doubleValue;
  private boolean booleanValue;
  private int start;
  private int end;

  long longValue() {
    return longValue;
  }

  double doubleValue() {
    return doubleValue;
  }

  boolean booleanValue() {
    return booleanValue;
  }

  Kind kindOf(char[] text, int offset, int length) {
    trim(text, offset, length);
    if (start < end) {
      char first = text[start];
      if (first <= '9') {
        if (onlyDigits(text)) {
          return parseLong(text, offset, length) ? Kind.INTEGER : Kind.BIG_INTEGER;
        }
        return parseDouble(text, offset, length) ? Kind.DECIMAL : Kind.TEXT;
      }
      if (isInfinite(text, offset, length)) {
        return Kind.DECIMAL;
      }
      if (parseBoolean(text, offset, length)) {
        return Kind.BOOLEAN;
      }
    }
    return Kind.TEXT;
  }

  /** Whether the field is an integer within a BIGINT. */
  boolean parseLong(char[] text, int offset, int length) {
    trim(text, offset, length);
    int i = start;
    boolean negative = false;
    if (i < end && (text[i] == '-' || text[i] == '+')) {
      negative = text[i] == '-';
      i++;
    }
    if (i == end) {
      return false;
    }
    // Negated throughout, because the smallest BIGINT has no positive counterpart.
    long value = 0;
    for (; i < end; i++) {
      int digit = text[i] - '0';
      if (digit < 0 || digit > 9 || value < Long.MIN_VALUE / 10) {
        return false;
      }
      value = value * 10 - digit;
      if (value > 0) {
        return false;
      }
    }
    if (!negative && value == Long.MIN_VALUE) {
      return false;
    }
    longValue = negative ? value : -value;
    return true;
  }

  /** Whether the field is a number; the nearest double. */
  boolean parseDouble(char[] text, int offset, int length) {
    trim(text, offset, length);
    int i = start;
    boolean negative = false;
    if (i < end && (text[i] == '-' || text[i] == '+')) {
      negative = text[i] == '-';
      i++;
    }
    int numberStart = i;
    long mantissa = 0;
    int digits = 0;
    int significant = 0;
    int exponent = 0;
    for (; i < end && isDigit(text[i]); i++) {
      digits++;
      if (significant > 0 || text[i] != '0') {
        significant++;
      }
      mantissa = significant <= EXACT_DIGITS ? mantissa * 10 + (text[i] - '0') : mantissa;
    }
    if (i < end && text[i] == '.') {
      i++;
      for (; i < end && isDigit(text[i]); i++) {
        digits++;
        exponent--;
        if (significant > 0 || text[i] != '0') {
          significant++;
        }
        mantissa = significant <= EXACT_DIGITS ? mantissa * 10 + (text[i] - '0') : mantissa;
      }
    }
    if (digits == 0) {
      return parseInfinite(text, offset, length);
    }
    if (i < end && (text[i] == 'e' || text[i] == 'E')) {
      i++;
      boolean down = i < end && text[i] == '-';
      if (i < end && (text[i] == '-' || text[i] == '+')) {
        i++;
      }
      int from = i;
      int written = 0;
      for (; i < end && isDigit(text[i]); i++) {
        written = Math.min(written * 10 + (text[i] - '0'), 100_000);
      }
      if (i == from) {
        return false;
      }
      exponent += down ? -written : written;
    }
    if (i < end) {
      return false;
    }
    double value;
    if (significant <= EXACT_DIGITS && Math.abs(exponent) < POWERS.length) {
      // Both are exact as doubles, so that one operation rounds correctly.
      value = exponent < 0 ? mantissa / POWERS[-exponent] : mantissa * POWERS[exponent];
    } else {
      value = NumberInput.parseDouble(text, numberStart, end - numberStart, true);
    }
    doubleValue = negative ? -value : value;
    return true;
  }

  /** Whether the field is one of the six spellings of true and false; no spaces around. */
  boolean parseBoolean(char[] text, int offset, int length) {
    if (isOneOf(TRUE, text, offset, length, false)) {
      booleanValue = true;
      return true;
    }
    booleanValue = false;
    return isOneOf(FALSE, text, offset, length, false);
  }

  private boolean parseInfinite(char[] text, int offset, int length) {
    if (!isInfinite(text, offset, length)) {
      return false;
    }
    doubleValue = text[offset] == '-' ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    return true;
  }

  private static boolean isInfinite(char[] text, int offset, int length) {
    int sign = length > 0 && (text[offset] == '-' || text[offset] == '+') ? 1 : 0;
    return isOneOf(INFINITE, text, offset + sign, length - sign, true);
  }

  private boolean onlyDigits(char[] text) {
    int i = text[start] == '-' || text[start] == '+' ? start + 1 : start;
    if (i == end) {
      return false;
    }
    for (; i < end; i++) {
      if (!isDigit(text[i])) {
        return false;
      }
    }
    return true;
  }

  private static boolean isOneOf(
      String[] words, char[] text, int offset, int length, boolean ignoreCase) {
    for (String word : words) {
      if (word.length() == length) {
        int i = 0;
        while (i < length
            && word.charAt(i)
                == (ignoreCase ? Character.toLowerCase(text[offset + i]) : text[offset + i])) {
          i++;
        }
        if (i == length) {
          return true;
        }
      }
    }
    return false;
  }

  private void trim(char[] text, int offset, int length) {
    start = offset;
    end = offset + length;
    while (start < end && isSpace(text[start])) {
      start++;
    }
    while (end > start && isSpace(text[end - 1])) {
      end--;
    }
  }

  static boolean isSpace(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
