package io.millrace.transform.file;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import javax.annotation.Nullable;

/** What a cell's number format makes of its number. */
enum ExcelFormat {
  NUMBER,
  DATE,
  TIME;

  /** Formats of East Asian languages that a workbook does not spell out; all are dates. */
  private static final Set<Integer> UNWRITTEN_DATES =
      Set.of(27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58);

  private static final Set<Integer> UNWRITTEN_TIMES = Set.of(32, 33, 34, 35);

  /** Quoted and escaped characters, padding, and what stands in brackets: no placeholders. */
  private static final Pattern LITERALS =
      Pattern.compile("\"[^\"]*\"?|\\\\.|[_*].|\\[[^\\]]*\\]|AM/PM|A/P", Pattern.CASE_INSENSITIVE);

  private static final Pattern ELAPSED = Pattern.compile("\\[(h+|m+|s+)]");

  /**
   * Of a format's code, such as {@code yyyy-mm-dd}. Durations such as {@code [h]:mm} stay numbers
   * of days.
   */
  static ExcelFormat of(@Nullable Integer id, @Nullable String code) {
    if (code == null) {
      if (id != null && UNWRITTEN_DATES.contains(id)) {
        return DATE;
      }
      return id != null && UNWRITTEN_TIMES.contains(id) ? TIME : NUMBER;
    }
    String lower = code.toLowerCase(Locale.ROOT);
    if (ELAPSED.matcher(lower).find()) {
      return NUMBER;
    }
    String placeholders = LITERALS.matcher(lower).replaceAll("");
    int section = placeholders.indexOf(';');
    if (section >= 0) {
      placeholders = placeholders.substring(0, section);
    }
    if (placeholders.contains("general")) {
      return NUMBER;
    }
    boolean time = placeholders.contains("h") || placeholders.contains("s");
    if (placeholders.contains("y") || placeholders.contains("d")) {
      return DATE;
    }
    return time ? TIME : placeholders.contains("m") ? DATE : NUMBER;
  }
}
