package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.Arguments;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.Transform;
import io.millrace.transform.UnboundedTables;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with steps over topics; that they read and write is shown with a broker. */
class TopicsTest {
  private static final Map<String, String> COLUMNS =
      Map.of("at", "TIMESTAMP_LTZ(3)", "day", "DATE", "fine", "TIMESTAMP(6)");

  @TempDir Path temp;
  private UnboundedTables tables;

  @BeforeEach
  void open() {
    tables = new UnboundedTables(temp);
  }

  private List<String> problems(Transform entry, Map<String, ?> arguments, Rows... inputs) {
    tables.problems.clear();
    Map<String, Object> all = new HashMap<>(Map.of("topic", "t", "bootstrap_servers", "b:1"));
    all.putAll(arguments);
    assertThat(tables.lower(entry, all, inputs)).isNull();
    return tables.problems.stream().map(Problem::message).toList();
  }

  private List<String> extract(Object... more) {
    Map<String, Object> arguments = new HashMap<>(Map.of("columns", COLUMNS));
    for (int i = 0; i < more.length; i += 2) {
      arguments.put((String) more[i], more[i + 1]);
    }
    return problems(new ExtractKafka(), arguments);
  }

  @Test
  void columnsHaveTypesAndOneIsTheTime() {
    assertThat(extract("columns", Map.of()))
        .containsExactly(
            "columns is empty, but must map columns, as in {id: BIGINT, at: TIMESTAMP_LTZ(3),"
                + " amount: DOUBLE}");
    assertThat(extract("columns", Map.of("id", "BIGNUM")))
        .containsExactly(
            "columns.id is 'BIGNUM', but must be an SQL type, such as STRING, BIGINT, DOUBLE,"
                + " BOOLEAN, DECIMAL(10, 2) or TIMESTAMP_LTZ(3)");
    assertThat(extract("columns", Map.of("__order_0", "BIGINT")))
        .containsExactly("columns makes a column '__order_0', but such names are reserved");
    assertThat(extract("time", "aat"))
        .containsExactly("time is 'aat', which is none of the columns; did you mean 'at'?");
    assertThat(extract("time", "day"))
        .containsExactly(
            "time is 'day' of type DATE, but must be TIMESTAMP(3), TIMESTAMP_LTZ(3) or BIGINT");
    assertThat(extract("time", "fine"))
        .containsExactly(
            "time is 'fine' of type TIMESTAMP(6), but must be TIMESTAMP(3), TIMESTAMP_LTZ(3) or"
                + " BIGINT");
    assertThat(extract("time", "at", "out_of_orderness", "91 d"))
        .containsExactly("out_of_orderness is '91 d', but must be at most 90 d");
    assertThat(extract("record_time", "day"))
        .containsExactly("record_time is 'day', but columns has one of that name");
  }

  @Test
  void theStartIsAPlaceOrAnInstant() {
    assertThat(extract("start", "yesterday"))
        .containsExactly(
            "start is 'yesterday', but must be earliest, latest, committed or an instant such as"
                + " 2026-03-01T00:00:00Z");
  }

  @Test
  void settingsOfTheClientAreSingleValuesByReferenceWhereTheyAreSecret() {
    assertThat(extract("properties", List.of("a")))
        .containsExactly("properties must be a map of name: value");
    assertThat(extract("properties", Map.of("a", List.of("b"))))
        .containsExactly("properties.a must be a single value");
    assertThat(extract("properties", Map.of("bootstrap.servers", "b:2")))
        .containsExactly("properties.bootstrap.servers is given by bootstrap_servers instead");
    // It fails for another reason as well, which ends the test before a connector is looked for.
    assertThat(
            extract(
                "start", "never", "properties", Map.of("sasl.password", "${env:MILLRACE_NOT_SET}")))
        .contains(
            "cannot read 'env:MILLRACE_NOT_SET': the environment variable is not set here; every"
                + " task of the job needs it");
  }

  @Test
  void aKeyNamesColumns() {
    Rows rows =
        tables.rows(List.of("a;b"), List.of(DataTypes.STRING()), null, new Object[][] {{"x"}});
    assertThat(problems(new LoadKafka(), Map.of("key", "id"), rows))
        .containsExactly("key names 'id', but there is no such column here; there are a;b");
    assertThat(problems(new LoadKafka(), Map.of("key", List.of("a;b")), rows))
        .containsExactly("key has 'a;b', but such a column must not have a semicolon");
  }

  @Test
  void onlyWhatHasAnEndIsBounded() {
    tables.problems.clear();
    assertThat(new ExtractKafka().isUnbounded(arguments("false"))).isTrue();
    assertThat(new ExtractKafka().isUnbounded(arguments("true"))).isFalse();
  }

  private static Arguments arguments(String toEnd) {
    return new Arguments(
        Map.of(
            "to_end",
            com.fasterxml.jackson.databind.node.BooleanNode.valueOf(Boolean.parseBoolean(toEnd))));
  }
}
