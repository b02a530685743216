package io.millrace.transform.shape;

import static java.util.Arrays.asList;
import static org.apache.flink.table.api.DataTypes.BIGINT;
import static org.apache.flink.table.api.DataTypes.DOUBLE;
import static org.apache.flink.table.api.DataTypes.STRING;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import io.millrace.transform.Transform;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The entries that change rows one by one, or columns: delete_columns, filter, derive, rename. */
class VerbsTest {
  @TempDir Path temp;
  private LocalTables local;
  private Rows people;

  @BeforeEach
  void makeRows() {
    local = new LocalTables(temp);
    people =
        local.rows(
            List.of("Name", "age", "CO(GT)", "town"),
            List.of(STRING(), BIGINT(), DOUBLE(), STRING()),
            new Object[] {"ann", 40L, 1.5, "Rome"},
            new Object[] {"bob", null, 2.5, "Lyon"},
            new Object[] {"cem", 20L, null, null});
  }

  private Rows run(Transform entry, Map<String, ?> arguments) {
    local.problems.clear();
    Rows rows = local.lower(entry, arguments, people);
    assertThat(local.problems).isEmpty();
    assertThat(rows.order()).isEqualTo(people.order());
    return rows;
  }

  private String problem(Transform entry, Map<String, ?> arguments) {
    local.problems.clear();
    assertThat(local.lower(entry, arguments, people)).isNull();
    assertThat(local.problems).hasSize(1);
    assertThat(local.problems.get(0).step()).isEqualTo("step");
    return local.problems.get(0).message();
  }

  @Test
  void deletesColumnsGivenAsAListOrAsText() {
    Rows list = run(new DeleteColumns(), Map.of("columns", List.of("CO(GT)", "Name")));
    assertThat(list.columns()).containsExactly("age", "town");
    assertThat(LocalTables.collect(list))
        .containsExactly(asList(40L, "Rome"), asList(null, "Lyon"), asList(20L, null));

    Rows text = run(new DeleteColumns(), Map.of("columns", "town, age"));
    assertThat(text.columns()).containsExactly("Name", "CO(GT)");
  }

  @Test
  void refusesToDeleteNothingEverythingOrWhatIsNotThere() {
    assertThat(problem(new DeleteColumns(), Map.of("columns", List.of())))
        .isEqualTo("columns is empty, but must name a column to delete");
    assertThat(problem(new DeleteColumns(), Map.of("columns", "Name,age,CO(GT),town")))
        .isEqualTo("columns names all columns, but at least one must remain");
    assertThat(problem(new DeleteColumns(), Map.of("columns", "agee")))
        .isEqualTo("columns names 'agee', but there is no such column here; did you mean 'age'?");
    Rows rows =
        run(
            new DeleteColumns(),
            Map.of("columns", List.of("agee", "town"), "missing_columns", "ignore"));
    assertThat(rows.columns()).containsExactly("Name", "age", "CO(GT)");
  }

  @Test
  void filtersByAConditionAndDropsWhatIsUnknown() {
    Rows rows = run(new FilterRows(), Map.of("condition", "age >= 20 AND `CO(GT)` IS NOT NULL"));
    assertThat(LocalTables.collect(rows)).containsExactly(List.of("ann", 40L, 1.5, "Rome"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          agee > 1|there is no column 'agee' here; did you mean 'age'?
          name = 'x'|there is no column 'name' here; did you mean 'Name'?
          xyzzy > 1|there is no column 'xyzzy' here; there are Name, age, CO(GT), town
          CO(GT) > 1|there is no column 'GT' here; did you mean `CO(GT)`, in backquotes?
          uper(town) = 'X'|there is no function UPER; did you mean UPPER?
          abs(town) > 1|cannot apply 'ABS' to arguments of type 'ABS(<VARCHAR(2147483647)>)'. Supported form(s): 'ABS(<NUMERIC>)'
          age >|it ends too early
          age > 1; DROP TABLE t|';' in line 1, column 8 is not expected there
          age > 1, age|',' in line 1, column 8 is not expected there
          SUM(age) > 1|an expression sees one row, so it cannot aggregate
          ROW_NUMBER() OVER (ORDER BY age) = 1|an expression sees one row, so it cannot aggregate
          (SELECT 1) = 1|an expression sees one row, so SELECT is not allowed in it
          age IN (SELECT 1)|an expression sees one row, so SELECT is not allowed in it
          EXISTS (VALUES 1)|an expression sees one row, so VALUES is not allowed in it
          age + 1|which gives BIGINT, but must give BOOLEAN
          age|which gives BIGINT, but must give BOOLEAN
          age = 1) OR (1 = 1|')' in line 1, column 8 is not expected there
          """)
  void conditionsThatAreNoneAreExplainedInOneLine(String condition, String message) {
    assertThat(problem(new FilterRows(), Map.of("condition", condition)))
        .startsWith("condition is \"" + condition + "\", ")
        .contains(message)
        .doesNotContain("\n");
  }

  @Test
  void aWordInALiteralIsNoQuery() {
    Rows rows = run(new FilterRows(), Map.of("condition", "town <> 'SELECT' -- no SELECT"));
    assertThat(LocalTables.collect(rows)).hasSize(2);
  }

  @Test
  void derivesNewColumnsAndReplacesOldOnesInOrder() {
    Map<String, String> columns = new java.util.LinkedHashMap<>();
    columns.put("age", "age + 1");
    columns.put("double age", "age * 2");
    columns.put("kind", "CASE WHEN `double age` > 50 THEN 'old' ELSE 'young' END");
    columns.put("lit", "'x'");
    Rows rows = run(new DeriveColumns(), Map.of("columns", columns));
    assertThat(rows.columns())
        .containsExactly("Name", "age", "CO(GT)", "town", "double age", "kind", "lit");
    assertThat(rows.type("lit")).isEqualTo(STRING().notNull());
    assertThat(LocalTables.collect(rows))
        .containsExactly(
            asList("ann", 41L, 1.5, "Rome", 82L, "old", "x"),
            asList("bob", null, 2.5, "Lyon", null, "young", "x"),
            asList("cem", 21L, null, null, 42L, "young", "x"));
  }

  @Test
  void namesTheColumnOfAnExpressionThatIsWrong() {
    assertThat(problem(new DeriveColumns(), Map.of("columns", Map.of("x", "agee + 1"))))
        .isEqualTo(
            "columns.x is \"agee + 1\", but there is no column 'agee' here; did you mean 'age'?");
    assertThat(problem(new DeriveColumns(), Map.of("columns", Map.of("x", "NULL"))))
        .isEqualTo("columns.x is \"NULL\", which has no type; say CAST(NULL AS INT), for one");
    assertThat(problem(new DeriveColumns(), Map.of("columns", Map.of("__order_0", "1"))))
        .isEqualTo("columns makes a column '__order_0', but such names are reserved");
    assertThat(problem(new DeriveColumns(), Map.of("columns", List.of("x"))))
        .isEqualTo(
            "columns is '[\"x\"]', but must map columns, as in {total: \"quantity * price\"}");
    assertThat(problem(new DeriveColumns(), Map.of("columns", Map.of("x", List.of(1)))))
        .isEqualTo("columns.x is '[1]', but must be a text, as in {total: \"quantity * price\"}");
  }

  @Test
  void renamesAllAtOnce() {
    Rows rows =
        run(
            new RenameColumns(),
            Map.of("columns", Map.of("Name", "town", "town", "Name", "CO(GT)", "größe")));
    assertThat(rows.columns()).containsExactly("town", "age", "größe", "Name");
    assertThat(LocalTables.collect(rows).get(0)).containsExactly("ann", 40L, 1.5, "Rome");
  }

  @Test
  void refusesNamesThatAreTakenReservedOrOfNoColumn() {
    assertThat(problem(new RenameColumns(), Map.of("columns", Map.of("age", "town"))))
        .isEqualTo("columns gives the name 'town' to more than one column");
    assertThat(problem(new RenameColumns(), Map.of("columns", Map.of("age", "__order_7"))))
        .isEqualTo("columns makes a column '__order_7', but such names are reserved");
    assertThat(problem(new RenameColumns(), Map.of("columns", Map.of("Agee", "x"))))
        .isEqualTo("columns names 'Agee', but there is no such column here; did you mean 'age'?");
    assertThat(problem(new RenameColumns(), Map.of("columns", Map.of())))
        .isEqualTo("columns is empty, but must map columns, as in {old name: new_name}");
  }
}
