package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.callSql;

import io.millrace.config.NearestKey;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableException;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.functions.BuiltInFunctionDefinitions;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * Checks an SQL expression over the columns of one row, by the planner. It may call any function
 * that gives a value for a row; aggregates, windows and queries belong to SQL as a whole and are
 * refused.
 */
final class SqlExpression {
  private static final Set<String> QUERIES = Set.of("SELECT", "VALUES", "TABLE", "DESCRIPTOR");

  /** Literals, quoted names and comments, or else a word. */
  private static final Pattern TOKEN =
      Pattern.compile("'(?:[^']|'')*'|`(?:[^`]|``)*`|--[^\n]*|/\\*.*?\\*/|(\\w+)", Pattern.DOTALL);

  private static final Pattern UNKNOWN_COLUMN = Pattern.compile("Unknown identifier '(.*)'");
  private static final Pattern UNKNOWN_FUNCTION =
      Pattern.compile("No match found for function signature ([^(]+)\\((.*)\\)");
  private static final Pattern UNEXPECTED =
      Pattern.compile(
          "(?:Encountered|Incorrect syntax near the keyword) (.*?) at line (\\d+), column (\\d+)");
  private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z_]\\w*");

  /** Functions of the grammar, which no list of functions has. */
  private static final List<String> OF_GRAMMAR =
      List.of(
          "CAST",
          "CEIL",
          "CHAR_LENGTH",
          "CHARACTER_LENGTH",
          "CURRENT_DATE",
          "CURRENT_TIMESTAMP",
          "DATE_FORMAT",
          "DAYOFMONTH",
          "DAYOFWEEK",
          "DAYOFYEAR",
          "EXTRACT",
          "FLOOR",
          "FROM_UNIXTIME",
          "HOUR",
          "IF",
          "INITCAP",
          "LOCALTIMESTAMP",
          "MINUTE",
          "MONTH",
          "NULLIF",
          "POWER",
          "QUARTER",
          "REGEXP_EXTRACT",
          "REGEXP_REPLACE",
          "SECOND",
          "SPLIT_INDEX",
          "TIMESTAMPADD",
          "TIMESTAMPDIFF",
          "TO_DATE",
          "TO_TIMESTAMP",
          "UNIX_TIMESTAMP",
          "WEEK",
          "YEAR");

  private SqlExpression() {}

  /**
   * The type of what it gives; empty when a problem was reported.
   *
   * @param key the parameter that it stands in
   * @param place how a message names it, such as {@code columns.total}
   */
  static Optional<LogicalType> check(Step step, String key, String place, String sql, Rows rows) {
    String problem = problem(step, sql, rows);
    if (problem != null) {
      step.error(key, place + " is \"" + sql + "\", " + problem);
      return Optional.empty();
    }
    LogicalType type =
        rows.table()
            .select(callSql(sql))
            .getResolvedSchema()
            .getColumnDataTypes()
            .get(0)
            .getLogicalType();
    if (type.is(LogicalTypeRoot.NULL)) {
      step.error(
          key, place + " is \"" + sql + "\", which has no type; say CAST(NULL AS INT), for one");
      return Optional.empty();
    }
    return Optional.of(type);
  }

  @Nullable
  private static String problem(Step step, String sql, Rows rows) {
    Table table = rows.table();
    try {
      table.select(callSql(sql));
    } catch (ValidationException | TableException e) {
      String message = String.valueOf(innermost(e).getMessage());
      // The planner gives up on queries within an expression in ways of its own.
      return unexpected(message)
          .or(() -> query(sql))
          .orElseGet(() -> explain(step, message, rows.columns()));
    }
    Optional<String> query = query(sql);
    if (query.isPresent()) {
      return query.get();
    }
    try {
      // The text is one whole expression by now. A condition is where the planner itself refuses
      // what needs more than one row.
      step.tables().sqlQuery("SELECT 1 FROM " + table + " WHERE (\n" + sql + "\n) IS NULL");
    } catch (ValidationException | TableException e) {
      String message = oneLine(innermost(e).getMessage());
      boolean aggregates = message.toLowerCase(Locale.ROOT).contains("aggregate");
      return aggregates
          ? "but an expression sees one row, so it cannot aggregate"
          : "but " + message;
    }
    return null;
  }

  private static Optional<String> query(String sql) {
    Matcher tokens = TOKEN.matcher(sql);
    while (tokens.find()) {
      String word = tokens.group(1);
      if (word != null && QUERIES.contains(word.toUpperCase(Locale.ROOT))) {
        return Optional.of(
            "but an expression sees one row, so "
                + word.toUpperCase(Locale.ROOT)
                + " is not allowed in it");
      }
    }
    return Optional.empty();
  }

  private static Throwable innermost(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static Optional<String> unexpected(String message) {
    Matcher unexpected = UNEXPECTED.matcher(message);
    if (!unexpected.find()) {
      return Optional.empty();
    }
    String what = unexpected.group(1);
    if (what.contains("<EOF>")) {
      return Optional.of("but it ends too early");
    }
    String word = what.replaceAll("^[\"']|[\"']$", "").replace("\\'", "'");
    return Optional.of(
        String.format(
            Locale.ROOT,
            "but '%s' in line %s, column %s is not expected there",
            word,
            unexpected.group(2),
            unexpected.group(3)));
  }

  private static String explain(Step step, String message, List<String> columns) {
    Matcher column = UNKNOWN_COLUMN.matcher(message);
    if (column.find()) {
      return "but " + noSuchColumn(column.group(1), columns);
    }
    Matcher function = UNKNOWN_FUNCTION.matcher(message);
    if (function.find()) {
      return "but " + noSuchFunction(step, function.group(1), function.group(2));
    }
    return "but " + uncapitalized(oneLine(message));
  }

  private static String noSuchColumn(String name, List<String> columns) {
    String missing = "there is no column '" + name + "' here";
    Optional<String> quoted =
        columns.stream()
            .filter(c -> !PLAIN_NAME.matcher(c).matches() && c.contains(name))
            .findFirst();
    if (quoted.isPresent()) {
      return missing + "; did you mean " + Rows.quote(quoted.get()) + ", in backquotes?";
    }
    return missing
        + NearestKey.find(name, columns)
            .map(near -> "; did you mean '" + near + "'?")
            .orElse("; there are " + String.join(", ", columns));
  }

  private static String noSuchFunction(Step step, String called, String arguments) {
    String name = called.strip().toUpperCase(Locale.ROOT);
    List<String> functions = functions(step);
    if (functions.contains(name)) {
      return name + " cannot take (" + arguments.replaceAll("[<>]", "") + ")";
    }
    return "there is no function "
        + name
        + NearestKey.find(name, functions).map(near -> "; did you mean " + near + "?").orElse("");
  }

  /** The names of all functions, in capitals. */
  private static List<String> functions(Step step) {
    Set<String> names = new TreeSet<>(OF_GRAMMAR);
    BuiltInFunctionDefinitions.getDefinitions().stream()
        .filter(definition -> !definition.isInternal())
        .map(definition -> definition.getSqlName().toUpperCase(Locale.ROOT))
        .filter(name -> PLAIN_NAME.matcher(name).matches())
        .forEach(names::add);
    Arrays.stream(step.tables().listFunctions())
        .map(name -> name.toUpperCase(Locale.ROOT))
        .forEach(names::add);
    return new ArrayList<>(names);
  }

  private static String oneLine(@Nullable String message) {
    return message == null
        ? "it cannot be read"
        : message.strip().lines().findFirst().orElse("").strip();
  }

  private static String uncapitalized(String sentence) {
    boolean word =
        sentence.length() > 1
            && Character.isUpperCase(sentence.charAt(0))
            && Character.isLowerCase(sentence.charAt(1));
    return word ? Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1) : sentence;
  }
}
