package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.$;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.utils.LogicalTypeMerging;

/**
 * {@code join_datasets}: pairs of rows with equal keys.
 *
 * <p>Columns of the inputs are {@code l0, l1, ...} and {@code r0, r1, ...} in the statement, so
 * that no name of a user's meets another. The order of rows is that of pandas: the left's, or the
 * right's for a right join, or that of the keys for an outer join.
 */
public final class JoinDatasets implements Transform {
  /** The longest interval that fits the literals of SQL. */
  private static final Duration LONGEST = Duration.ofDays(999);

  /** A name that is taken for as long as one statement is read. */
  private static final String VERSIONS = "versions_of_the_second_input";

  @Override
  public Declaration declaration() {
    return new Declaration(
        "join_datasets",
        Kind.TRANSFORM,
        Inputs.TWO,
        "Joins two inputs by equal keys. The key comes once; other columns that both have get _x"
            + " and _y.",
        List.of(
            Parameter.texts("join_key")
                .defaultTo("id")
                .doc("The column, or columns, that both inputs have."),
            Parameter.text("join_type")
                .oneOf("inner", "left", "right", "outer")
                .defaultTo("inner")
                .doc("Whose rows stay that find no partner: nobody's, or those of either or both."),
            Parameter.text("null_keys")
                .oneOf("drop", "match")
                .defaultTo("drop")
                .doc(
                    "Whether a null key finds no partner, as in SQL, or another null, as in pandas."),
            Parameter.text("partner")
                .oneOf("all", "latest")
                .defaultTo("all")
                .doc(
                    "Unbounded inputs: whether a row of the first input meets all partners, or the"
                        + " latest up to its own time (inner and left)."),
            Parameter.duration("within")
                .doc(
                    "Unbounded inputs: how far apart the event times of partners may lie. Needed"
                        + " unless partner is latest.")),
        List.of(
            """
            pipeline:
              name: sales
              steps:
                - id: purchases
                  service: extract_csv
                  params: {file_path: purchases.csv}
                - id: customers
                  service: extract_csv
                  params: {file_path: customers.csv}
                - id: joined
                  service: join_datasets
                  depends_on: [purchases, customers]
                  params:
                    join_key: customer
                    join_type: left
                - id: save
                  service: load_data
                  depends_on: [joined]
                  params: {format: csv}
            """));
  }

  /** One input while it is joined. */
  private record Side(String letter, Rows rows, List<String> keys, String time) {
    String column(String name) {
      return letter + rows.columns().indexOf(name);
    }

    String order(int i) {
      return letter + "o" + i;
    }

    List<String> values() {
      return rows.columns().stream().filter(c -> !keys.contains(c)).toList();
    }

    /** All columns under names of the statement. */
    Table renamed() {
      List<Expression> all = new ArrayList<>();
      rows.columns().forEach(c -> all.add($(c).as(column(c))));
      for (int i = 0; i < rows.order().size(); i++) {
        all.add($(rows.order().get(i)).as(order(i)));
      }
      return rows.table().select(all.toArray(Expression[]::new));
    }
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    List<String> keys = List.copyOf(new LinkedHashSet<>(step.arguments().texts("join_key")));
    if (keys.isEmpty()) {
      step.error("join_key", "join_key is empty, but must name a column that both inputs have");
      return null;
    }
    Side left = new Side("l", inputs.get(0), keys, EventTime.column(inputs.get(0)).orElse(null));
    Side right = new Side("r", inputs.get(1), keys, EventTime.column(inputs.get(1)).orElse(null));
    String type = step.arguments().text("join_type");
    List<String> names = names(left, right);
    if (!keysFit(step, left, right) || !areDistinct(step, names)) {
      return null;
    }
    if (step.bounded()) {
      return bounded(step, left, right, type, names);
    }
    return unbounded(step, left, right, type, names);
  }

  private static boolean keysFit(Step step, Side left, Side right) {
    boolean fit = true;
    for (String key : left.keys()) {
      boolean known = isThere(step, key, "first", left);
      known &= isThere(step, key, "second", right);
      if (!known) {
        fit = false;
        continue;
      }
      LogicalType one = left.rows().type(key).getLogicalType();
      LogicalType other = right.rows().type(key).getLogicalType();
      if (!comparable(one, other)) {
        step.error(
            "join_key",
            "join_key '"
                + key
                + "' is "
                + one.copy(true).asSummaryString()
                + " in the first input and "
                + other.copy(true).asSummaryString()
                + " in the second, which are never equal; cast one of them before");
        fit = false;
      }
    }
    return fit;
  }

  private static boolean isThere(Step step, String key, String which, Side side) {
    if (side.rows().columns().contains(key)) {
      return true;
    }
    step.error(
        "join_key",
        "join_key '"
            + key
            + "' not found in the "
            + which
            + " input: "
            + ColumnTexts.noSuchColumn(key, side.rows().columns()));
    return false;
  }

  private static boolean comparable(LogicalType one, LogicalType other) {
    for (LogicalTypeFamily family :
        List.of(
            LogicalTypeFamily.NUMERIC,
            LogicalTypeFamily.CHARACTER_STRING,
            LogicalTypeFamily.BINARY_STRING,
            LogicalTypeFamily.TIMESTAMP)) {
      if (one.is(family) && other.is(family)) {
        return true;
      }
    }
    return one.getTypeRoot() == other.getTypeRoot() && !one.is(LogicalTypeFamily.CONSTRUCTED);
  }

  /** The names of the result: the key columns where the left has them, the left's, the right's. */
  private static List<String> names(Side left, Side right) {
    List<String> names = new ArrayList<>();
    for (String column : left.rows().columns()) {
      names.add(right.values().contains(column) ? column + "_x" : column);
    }
    for (String column : right.values()) {
      names.add(left.values().contains(column) ? column + "_y" : column);
    }
    return names;
  }

  private static boolean areDistinct(Step step, List<String> names) {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        step.error(null, "the join would have two columns '" + name + "'; rename one before");
        return false;
      }
    }
    return true;
  }

  private static Rows bounded(Step step, Side left, Side right, String type, List<String> names) {
    if (step.arguments().has("within")) {
      step.warn("within", "within is not used: it is for unbounded inputs");
    }
    List<String> hidden = new ArrayList<>();
    if (type.equals("outer")) {
      List<String> keys =
          left.keys().stream().map(k -> key(left, right, type, k) + " ASC NULLS LAST").toList();
      hidden.add("DENSE_RANK() OVER (ORDER BY " + String.join(", ", keys) + ")");
    }
    for (Side side : type.equals("right") ? List.of(right, left) : List.of(left, right)) {
      for (int i = 0; i < side.rows().order().size(); i++) {
        hidden.add(side.order(i));
      }
    }
    List<String> all = new ArrayList<>(columns(left, right, type, names, false));
    List<String> order = new ArrayList<>();
    for (int i = 0; i < hidden.size(); i++) {
      order.add(Rows.orderColumn(i));
      all.add(hidden.get(i) + " AS " + Rows.quote(Rows.orderColumn(i)));
    }
    String from = from(left.renamed() + "", right.renamed() + "", type);
    String sql = "SELECT " + String.join(", ", all) + from + " ON " + equal(step, left, right);
    return new Rows(step.tables().sqlQuery(sql), order);
  }

  private static String from(String left, String right, String type) {
    String join = type.equals("outer") ? "FULL" : type.toUpperCase(Locale.ROOT);
    return " FROM " + left + " AS l " + join + " JOIN " + right + " AS r";
  }

  private static String equal(Step step, Side left, Side right) {
    boolean match = step.arguments().text("null_keys").equals("match");
    return String.join(
        " AND ",
        left.keys().stream()
            .map(
                key ->
                    left.column(key)
                        + (match ? " IS NOT DISTINCT FROM " : " = ")
                        + right.column(key))
            .toList());
  }

  /** What of a key is in the result: the side's that has it. */
  private static String key(Side left, Side right, String type, String key) {
    String one = left.column(key);
    String other = right.column(key);
    return switch (type) {
      case "right" -> other;
      case "outer" -> {
        String common =
            LogicalTypeMerging.findCommonType(
                    List.of(
                        EventTime.plain(left.rows().type(key).getLogicalType()).copy(true),
                        EventTime.plain(right.rows().type(key).getLogicalType()).copy(true)))
                .orElseThrow()
                .asSerializableString();
        yield "COALESCE(CAST("
            + one
            + " AS "
            + common
            + "), CAST("
            + other
            + " AS "
            + common
            + "))";
      }
      default -> one;
    };
  }

  /**
   * The visible columns.
   *
   * @param timed whether the event time of the side that keeps all rows stays one
   */
  private static List<String> columns(
      Side left, Side right, String type, List<String> names, boolean timed) {
    List<String> all = new ArrayList<>();
    for (String column : left.rows().columns()) {
      String value =
          left.keys().contains(column)
              ? key(left, right, type, column)
              : value(left, column, timed && !type.equals("right"));
      all.add(value + " AS " + Rows.quote(names.get(all.size())));
    }
    for (String column : right.values()) {
      String value = value(right, column, timed && type.equals("right"));
      all.add(value + " AS " + Rows.quote(names.get(all.size())));
    }
    return all;
  }

  private static String value(Side side, String column, boolean timed) {
    if (!column.equals(side.time()) || timed) {
      return side.column(column);
    }
    String plain =
        EventTime.plain(side.rows().type(column).getLogicalType()).asSerializableString();
    return "CAST(" + side.column(column) + " AS " + plain.replace(" NOT NULL", "") + ")";
  }

  @Nullable
  private static Rows unbounded(Step step, Side left, Side right, String type, List<String> names) {
    boolean latest = step.arguments().text("partner").equals("latest");
    Optional<Duration> within =
        step.arguments().has("within")
            ? Optional.of(step.arguments().duration("within"))
            : Optional.empty();
    if (left.time() == null || right.time() == null) {
      String which = left.time() == null ? "first" : "second";
      step.error(
          null, "the " + which + " input has no event time, by which unbounded inputs are joined");
      return null;
    }
    if (latest) {
      return latest(step, left, right, type, names);
    }
    if (within.isEmpty()) {
      step.error(
          "within",
          "within is missing: with unbounded inputs rows are joined whose event times lie that far"
              + " apart at most, such as 1 h; or say partner: latest");
      return null;
    }
    if (within.get().isNegative() || within.get().compareTo(LONGEST) > 0) {
      step.error(
          "within",
          "within is '"
              + step.arguments().text("within")
              + "', but must be from 0 s to "
              + LONGEST.toDays()
              + " d");
      return null;
    }
    boolean timed = !type.equals("outer");
    Duration range = within.get();
    String interval =
        String.format(
            Locale.ROOT,
            "INTERVAL '%d %02d:%02d:%02d.%03d' DAY(3) TO SECOND(3)",
            range.toDays(),
            range.toHoursPart(),
            range.toMinutesPart(),
            range.toSecondsPart(),
            range.toMillisPart());
    String one = left.column(left.time());
    String other = right.column(right.time());
    String sql =
        "SELECT "
            + String.join(", ", columns(left, right, type, names, timed))
            + from(left.renamed() + "", right.renamed() + "", type)
            + " ON "
            + equal(step, left, right)
            + String.format(
                Locale.ROOT,
                " AND %s BETWEEN %s - %s AND %s + %s",
                one,
                other,
                interval,
                other,
                interval);
    return new Rows(step.tables().sqlQuery(sql), List.of());
  }

  /** Each row of the left with the version of the right that was current at its time. */
  @Nullable
  private static Rows latest(Step step, Side left, Side right, String type, List<String> names) {
    if (!Set.of("inner", "left").contains(type)) {
      step.error(
          "join_type",
          "join_type is '" + type + "', but with partner: latest must be one of inner, left");
      return null;
    }
    if (step.arguments().has("within")) {
      step.warn("within", "within is not used with partner: latest");
    }
    if (step.arguments().text("null_keys").equals("match")) {
      step.error(
          "null_keys", "null_keys is 'match', but with partner: latest null keys never match");
      return null;
    }
    String keys = String.join(", ", right.keys().stream().map(right::column).toList());
    String all = String.join(", ", right.rows().columns().stream().map(right::column).toList());
    step.tables()
        .createTemporaryView(
            VERSIONS,
            step.tables()
                .sqlQuery(
                    "SELECT "
                        + all
                        + " FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "
                        + keys
                        + " ORDER BY "
                        + right.column(right.time())
                        + " DESC) AS n FROM "
                        + right.renamed()
                        + ") WHERE n = 1"));
    String sql =
        "SELECT "
            + String.join(", ", columns(left, right, type, names, true))
            + " FROM "
            + left.renamed()
            + " AS l "
            + type.toUpperCase(Locale.ROOT)
            + " JOIN "
            + VERSIONS
            + " FOR SYSTEM_TIME AS OF l."
            + left.column(left.time())
            + " AS r ON "
            + equal(step, left, right);
    Rows rows = new Rows(step.tables().sqlQuery(sql), List.of());
    step.tables().dropTemporaryView(VERSIONS);
    return rows;
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return Map.of(
        "rows_first", outcome.in().get(0).rows(), "rows_second", outcome.in().get(1).rows());
  }
}
