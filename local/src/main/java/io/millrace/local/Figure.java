package io.millrace.local;

import java.math.BigDecimal;
import java.util.Locale;
import javax.annotation.Nullable;

/** How a report writes the values of a column, which its type and its name decide. */
enum Figure {
  TEXT,
  /** A count, in groups of three digits. */
  COUNT,
  /** A share of 1, in percent. */
  SHARE,
  /** Seconds. */
  DURATION;

  /** Stands for a value that there is none of. */
  static final String NONE = "–";

  static Figure of(String column, boolean number) {
    if (!number) {
      return TEXT;
    }
    if (column.matches("(.*_)?(rate|ctr|share)")) {
      return SHARE;
    }
    return column.endsWith("_seconds") ? DURATION : COUNT;
  }

  String format(@Nullable String value) {
    if (value == null) {
      return NONE;
    }
    return switch (this) {
      case TEXT -> value;
      case COUNT -> count(new BigDecimal(value));
      case SHARE -> String.format(Locale.ROOT, "%.1f %%", 100 * Double.parseDouble(value));
      case DURATION -> duration(Double.parseDouble(value));
    };
  }

  private static String count(BigDecimal value) {
    int digits = Math.max(0, value.stripTrailingZeros().scale());
    return String.format(Locale.ROOT, "%,." + Math.min(digits, 2) + "f", value);
  }

  private static String duration(double seconds) {
    if (seconds < 59.95) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole / 60 % 60);
  }

  /** A column's name as a heading; a duration's values name their unit themselves. */
  static String heading(String column) {
    String words =
        column
            .replaceFirst("_seconds$", "")
            .replace('_', ' ')
            .replaceAll("\\bctr\\b", "CTR")
            .replaceAll("\\bavg\\b", "average");
    return words.isEmpty() ? words : Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }
}
