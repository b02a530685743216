package io.millrace.transform.function;

import com.google.re2j.Pattern;
import java.io.Serializable;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.InputGroup;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * The positions of the rules that a row violates; null when it violates none. It takes one value
 * per rule, in the order of the rules.
 */
public final class FindViolations extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  /** What can be asked of one value. */
  public enum Test {
    NOT_NULL("not_null"),
    /** Found anywhere in the text; nulls pass. */
    REGEX("regex"),
    /** Equal to one of the texts, or as a number to one of them; nulls pass. */
    ALLOWED("allowed_values");

    private final String key;

    Test(String key) {
      this.key = key;
    }

    /** The rule's name among the rules of a quality step. */
    public String key() {
      return key;
    }
  }

  /**
   * One rule about one column.
   *
   * @param operands the expression, or the allowed values, each once and as {@link #canonical}
   */
  public record Rule(Test test, String column, List<String> operands) implements Serializable {
    public Rule {
      operands = List.copyOf(operands);
    }

    /** Why a row is refused, for people. */
    public String reason() {
      return switch (test) {
        case NOT_NULL -> column + " is null";
        case REGEX -> column + " does not match " + operands.get(0);
        case ALLOWED -> column + " is none of " + String.join(", ", operands);
      };
    }
  }

  private final ArrayList<Rule> rules;
  private transient List<Pattern> patterns;
  private transient List<Set<String>> allowed;

  public FindViolations(List<Rule> rules) {
    this.rules = new ArrayList<>(rules);
  }

  @Override
  public void open(FunctionContext context) {
    patterns = new ArrayList<>();
    allowed = new ArrayList<>();
    for (Rule rule : rules) {
      patterns.add(rule.test() == Test.REGEX ? Pattern.compile(rule.operands().get(0)) : null);
      allowed.add(Set.copyOf(rule.operands()));
    }
  }

  @Nullable
  @DataTypeHint("ARRAY<INT>")
  public Integer[] eval(@DataTypeHint(inputGroup = InputGroup.ANY) Object... values) {
    List<Integer> violated = null;
    for (int i = 0; i < values.length; i++) {
      Object value = values[i];
      boolean passes =
          switch (rules.get(i).test()) {
            case NOT_NULL -> value != null && !isNan(value);
            case REGEX -> value == null || patterns.get(i).matcher(value.toString()).find();
            case ALLOWED ->
                value == null || isNan(value) || allowed.get(i).contains(canonical(value));
          };
      if (!passes) {
        if (violated == null) {
          violated = new ArrayList<>();
        }
        violated.add(i);
      }
    }
    return violated == null ? null : violated.toArray(Integer[]::new);
  }

  private static boolean isNan(Object value) {
    return (value instanceof Double d && d.isNaN()) || (value instanceof Float f && f.isNaN());
  }

  /** One text for each number, however it is written: {@code 5}, {@code 5.0} and {@code 5e0}. */
  public static String canonical(Object value) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Number && !isNan(value)) {
      String number = value.toString();
      return number.endsWith("Infinity")
          ? number
          : new BigDecimal(number).stripTrailingZeros().toPlainString();
    }
    return value.toString();
  }
}
