package io.millrace.transform.quality;

import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.StepRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The cases that Great Expectations tests itself with, as far as {@code data_quality} has a rule
 * for them: the same data has to pass or fail. What has no rule is counted by its reason.
 */
class GxSuiteTest {
  private static final Path CASES = Path.of("../../shared/data/gx");
  private static final Path COUNTS = Path.of("src/test/resources/quality/gx.txt");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> PANDAS_TYPES =
      Set.of("int", "float", "str", "string", "bool", "object");

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path temp;

  /** How many cases there are of an expectation, how many have a rule here, and agree. */
  private static final class Counts {
    int cases;
    int mapped;
    int agree;
    final Map<String, Integer> left = new TreeMap<>();

    void leave(String reason) {
      left.merge(reason, 1, Integer::sum);
    }

    String line(String name) {
      return String.format(
          "%-62s %3d cases %3d mapped %3d agree  %s", name, cases, mapped, agree, left);
    }
  }

  /**
   * A case as a rule of ours on a column of its own.
   *
   * @param mostly the share of values that have to pass, or 1
   */
  private record Case(
      String suite,
      String column,
      JsonNode values,
      DataType type,
      String rule,
      JsonNode written,
      double mostly,
      boolean success,
      String title) {}

  @Test
  void casesOfGreatExpectationsAgree() throws Exception {
    assumeTrue(Files.isDirectory(CASES), () -> "skipped: " + CASES + " is not there");
    Map<String, Counts> counts = new TreeMap<>();
    List<Case> cases = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    try (Stream<Path> files = Files.walk(CASES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        read(file, counts, cases);
      }
    }
    // Cases with as many rows share a job.
    Map<Integer, List<Case>> bySize =
        cases.stream()
            .collect(Collectors.groupingBy(c -> c.values().size(), TreeMap::new, toList()));
    bySize.values().forEach(same -> judge(same, counts, wrong));
    List<String> lines = new ArrayList<>();
    Counts all = new Counts();
    counts.forEach(
        (name, of) -> {
          lines.add(of.line(name));
          all.cases += of.cases;
          all.mapped += of.mapped;
          all.agree += of.agree;
          of.left.forEach((reason, n) -> all.left.merge(reason, n, Integer::sum));
        });
    lines.add(all.line("all"));
    lines.forEach(System.out::println);
    assertThat(wrong).isEmpty();
    if (Boolean.getBoolean("millrace.docs.update")) {
      Files.createDirectories(COUNTS.getParent());
      Files.write(COUNTS, lines);
    }
    assertThat(lines).isEqualTo(Files.readAllLines(COUNTS));
  }

  private static void read(Path file, Map<String, Counts> counts, List<Case> cases)
      throws IOException {
    JsonNode suite = JSON.readTree(file.toFile());
    String name = file.getFileName().toString().replace(".json", "");
    String expectation = suite.get("expectation_type").asText();
    Counts of = counts.computeIfAbsent(name, n -> new Counts());
    for (JsonNode dataset : suite.get("datasets")) {
      for (JsonNode test : dataset.get("tests")) {
        of.cases++;
        String reason = unfit(test);
        Case mapped = null;
        if (reason == null) {
          mapped = map(name, expectation, dataset.get("data"), test, cases.size());
          reason = "no rule";
        }
        if (mapped == null) {
          of.leave(reason);
        } else {
          of.mapped++;
          cases.add(mapped);
        }
      }
    }
  }

  /** Why a case cannot be one of ours whatever the expectation; null when it can. */
  @Nullable
  private static String unfit(JsonNode test) {
    JsonNode only = test.path("only_for");
    if (!only.isMissingNode() && !only.isNull() && !only.toString().contains("\"pandas")) {
      return "other backend";
    }
    JsonNode in = test.get("in");
    if (in.has("row_condition") || in.has("ignore_row_if")) {
      return "condition on rows";
    }
    if (in.toString().contains("$PARAMETER")) {
      return "evaluation parameter";
    }
    return test.get("out").has("success") ? null : "expects an exception";
  }

  @Nullable
  private static Case map(
      String suite, String expectation, JsonNode data, JsonNode test, int number) {
    JsonNode in = test.get("in");
    JsonNode values = data.path(in.path("column").asText());
    boolean text =
        expectation.contains("regex")
            || expectation.contains("length")
            || expectation.contains("set");
    DataType type = type(values, text ? DataTypes.STRING() : DataTypes.DOUBLE());
    double mostly = in.path("mostly").asDouble(1);
    if (values.isMissingNode() || type == null) {
      return null;
    }
    ObjectNode range = JSON.createObjectNode();
    if (in.path("min_value").isNumber()) {
      range.set("min", in.get("min_value"));
    }
    if (in.path("max_value").isNumber()) {
      range.set("max", in.get("max_value"));
    }
    boolean isNumber = type.equals(DataTypes.DOUBLE()) || type.equals(DataTypes.BIGINT());
    boolean isText = type.equals(DataTypes.STRING());
    boolean strict = in.path("strict_min").asBoolean() || in.path("strict_max").asBoolean();
    boolean whole = mostly == 1;
    String rule = null;
    JsonNode written = null;
    switch (expectation) {
      case "expect_column_values_to_be_between" -> {
        if (isNumber && whole && !strict && !range.isEmpty()) {
          rule = "check_value_range";
          written = range;
        }
      }
      case "expect_column_mean_to_be_between",
          "expect_column_median_to_be_between",
          "expect_column_stdev_to_be_between" -> {
        if (isNumber) {
          rule = expectation.split("_", -1)[2];
          written = rule.equals("stdev") ? widened(range) : range;
        }
      }
      case "expect_column_min_to_be_between", "expect_column_max_to_be_between" -> {
        if (isNumber) {
          rule = "quantiles";
          written = JSON.createObjectNode().set(expectation.contains("min") ? "0" : "1", range);
        }
      }
      case "expect_column_quantile_values_to_be_between" -> {
        rule = "quantiles";
        ObjectNode quantiles = JSON.createObjectNode();
        JsonNode wanted = in.get("quantile_ranges");
        for (int i = 0; i < wanted.get("quantiles").size(); i++) {
          quantiles
              .putObject(wanted.get("quantiles").get(i).asText())
              .<ObjectNode>set("min", wanted.get("value_ranges").get(i).get(0))
              .set("max", wanted.get("value_ranges").get(i).get(1));
        }
        written = quantiles;
      }
      case "expect_column_value_z_scores_to_be_less_than" -> {
        rule = "z_score";
        // They ask for less, our rule for no more.
        written = JSON.valueToTree(Math.nextDown(in.get("threshold").asDouble()));
      }
      case "expect_column_values_to_be_unique" -> {
        if (whole) {
          rule = "check_unique_columns";
        }
      }
      case "expect_column_values_to_not_be_null" -> rule = "not_null";
      case "expect_column_values_to_be_in_set", "expect_column_distinct_values_to_be_in_set" -> {
        if (in.get("value_set").isArray() && !in.get("value_set").isEmpty()) {
          rule = "allowed_values";
          written = in.get("value_set");
        }
      }
      case "expect_column_values_to_match_regex" -> {
        if (isText) {
          rule = "regex";
          written = in.get("regex");
        }
      }
      case "expect_column_values_to_match_regex_list" -> {
        if (isText && in.path("match_on").asText("any").equals("any")) {
          List<String> parts = new ArrayList<>();
          in.get("regex_list").forEach(part -> parts.add("(?:" + part.asText() + ")"));
          rule = "regex";
          written = JSON.valueToTree(String.join("|", parts));
        }
      }
      case "expect_column_value_lengths_to_be_between" -> {
        boolean empty =
            in.path("min_value").asInt() > in.path("max_value").asInt(Integer.MAX_VALUE);
        if (isText && !strict && !empty) {
          rule = "regex";
          String least = in.path("min_value").isNumber() ? in.get("min_value").asText() : "0";
          String most = in.path("max_value").isNumber() ? in.get("max_value").asText() : "";
          written = JSON.valueToTree("(?s)^.{" + least + "," + most + "}$");
        }
      }
      case "expect_column_value_lengths_to_equal" -> {
        if (isText) {
          rule = "regex";
          written = JSON.valueToTree("(?s)^.{" + in.get("value").asText() + "}$");
        }
      }
      case "expect_column_values_to_be_of_type" -> {
        String wanted = in.get("type_").asText();
        if (PANDAS_TYPES.contains(wanted) && !values.get(0).isNull()) {
          rule = "check_column_types";
          written = JSON.valueToTree(wanted.equals("str") ? "string" : wanted);
        }
      }
      default -> rule = null;
    }
    boolean success = test.get("out").get("success").asBoolean();
    return rule == null
        ? null
        : new Case(
            suite,
            "case " + number,
            values,
            type,
            rule,
            written,
            mostly,
            success,
            test.get("title").asText() + " " + in);
  }

  /** Deviations are compared but for the last digits, which depend on the order of additions. */
  private static ObjectNode widened(ObjectNode range) {
    ObjectNode wide = JSON.createObjectNode();
    range
        .properties()
        .forEach(
            end ->
                wide.put(
                    end.getKey(),
                    end.getValue().asDouble()
                        * (end.getKey().equals("min") ? 1 - 1e-12 : 1 + 1e-12)));
    return wide;
  }

  /** The type that all values have; null when they are of several. */
  @Nullable
  private static DataType type(JsonNode values, DataType ofNothing) {
    DataType type = null;
    for (JsonNode value : values) {
      DataType one =
          value.isNull()
              ? null
              : value.isIntegralNumber()
                  ? DataTypes.BIGINT()
                  : value.isNumber()
                      ? DataTypes.DOUBLE()
                      : value.isBoolean()
                          ? DataTypes.BOOLEAN()
                          : value.isTextual() ? DataTypes.STRING() : DataTypes.BYTES();
      if (type == null || (DataTypes.DOUBLE().equals(one) && DataTypes.BIGINT().equals(type))) {
        type = one == null ? type : one;
      } else if (one != null
          && !one.equals(type)
          && !(DataTypes.BIGINT().equals(one) && DataTypes.DOUBLE().equals(type))) {
        return null;
      }
    }
    return type == null ? ofNothing : DataTypes.BYTES().equals(type) ? null : type;
  }

  /** Runs cases as one step, and counts those that end as they should. */
  private void judge(List<Case> cases, Map<String, Counts> counts, List<String> wrong) {
    LocalTables tables = new LocalTables(temp);
    int rows = cases.get(0).values().size();
    List<String> columns = cases.stream().map(Case::column).toList();
    Object[][] table = new Object[Math.max(rows, 1)][cases.size()];
    for (int i = 0; i < rows; i++) {
      for (int c = 0; c < cases.size(); c++) {
        table[i][c] = value(cases.get(c).values().get(i), cases.get(c).type());
      }
    }
    Map<String, Object> rules = new LinkedHashMap<>();
    for (Case one : cases) {
      if (one.written() == null) {
        @SuppressWarnings("unchecked")
        List<String> list =
            (List<String>) rules.computeIfAbsent(one.rule(), r -> new ArrayList<String>());
        list.add(one.column());
      } else {
        @SuppressWarnings("unchecked")
        Map<String, JsonNode> map =
            (Map<String, JsonNode>)
                rules.computeIfAbsent(one.rule(), r -> new LinkedHashMap<String, JsonNode>());
        map.put(one.column(), one.written());
      }
    }
    Rows input = tables.rows(columns, cases.stream().map(Case::type).toList(), table);
    AssessQuality quality = new AssessQuality();
    Step step = tables.step(quality, Map.of("rules", rules));
    assertThat(quality.lower(step, List.of(input))).as(tables.problems.toString()).isNotNull();
    JsonNode report =
        parse(StepRun.texts(step, step.collected().get("checks")).get(0)).get("checks");
    for (Case one : cases) {
      JsonNode check = report.get(one.rule().replace("check_", "")).get(one.column());
      boolean pass = check.get("pass").asBoolean();
      if (check.has("failed_rows") && one.mostly() < 1) {
        long asked = 0;
        for (JsonNode value : one.values()) {
          asked += value.isNull() && !one.rule().equals("not_null") ? 0 : 1;
        }
        pass = asked - check.get("failed_rows").asLong() >= one.mostly() * asked;
      }
      if (pass == one.success()) {
        counts.get(one.suite()).agree++;
      } else {
        wrong.add(one.suite() + ": " + one.title() + " gives " + check);
      }
    }
  }

  private static JsonNode parse(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  @Nullable
  private static Object value(JsonNode value, DataType type) {
    if (value.isNull()) {
      return null;
    }
    return type.equals(DataTypes.BIGINT())
        ? (Object) value.asLong()
        : type.equals(DataTypes.DOUBLE())
            ? (Object) value.asDouble()
            : type.equals(DataTypes.BOOLEAN()) ? (Object) value.asBoolean() : value.asText();
  }
}
