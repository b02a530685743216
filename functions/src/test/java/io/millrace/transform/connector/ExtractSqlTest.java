package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.UnboundedTables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What extract_sql refuses before it opens a connection; its rows need a server. */
class ExtractSqlTest {
  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  private List<String> problems(Map<String, ?> arguments) {
    local.problems.clear();
    Map<String, Object> all = new HashMap<>(Map.of("query", "SELECT 1 AS a"));
    all.putAll(arguments);
    assertThat(local.lower(new ExtractSql(), all)).isNull();
    return local.problems.stream().map(p -> p.key() + ": " + p.message()).toList();
  }

  @Test
  void addressAndQueryAreCheckedTogether() {
    assertThat(problems(Map.of("db_url", "mysql://h/d", "query", "SELECT * FROM t; DELETE FROM t")))
        .containsExactly(
            "db_url: db_url is of mysql, but only PostgreSQL is read",
            "query: query goes on after its end, but must be one statement");
  }

  @Test
  void aPasswordInPlainTextIsRefusedAndNotRepeated() {
    assertThat(problems(Map.of("db_url", "postgresql://ann:s3cret@127.0.0.1:1/d")))
        .containsExactly(
            "db_url: db_url holds a user or a password; give the whole of it by reference, as"
                + " env:NAME or file:/path, or take the parameters user and password");
  }

  @Test
  void aReferenceIsReadAndCheckedWhenTheColumnsAreAskedFor() throws Exception {
    Path file = Files.writeString(root.resolve("url"), "postgresql://ann:s3cret@127.0.0.1:1/d\n");
    assertThat(problems(Map.of("db_url", "file:" + file)))
        .containsExactly(
            "db_url: postgresql://127.0.0.1:1/d is not reached, or its TLS is not as db_url asks"
                + " (SQLSTATE 08001)");
    Files.writeString(file, "ann:s3cret@127.0.0.1:1/d");
    assertThat(problems(Map.of("db_url", "file:" + file)))
        .containsExactly("db_url: db_url must begin with postgresql://; only PostgreSQL is read");
    assertThat(problems(Map.of("db_url", "file:" + root + "/none")))
        .containsExactly("db_url: cannot read 'file:" + root + "/none': there is no such file");
  }

  @Test
  void boundsAreOfAColumn() {
    assertThat(problems(Map.of("db_url", "postgresql://127.0.0.1:1/d", "upper_bound", 5)))
        .containsExactly(
            "upper_bound: upper_bound is given, but no partition_column that it is of");
  }

  @Test
  void besideEndlessInputTheRowsHaveAnOrder() {
    UnboundedTables endless = new UnboundedTables(root);
    String url = "postgresql://127.0.0.1:1/d";
    endless.lower(new ExtractSql(), Map.of("db_url", url, "query", "SELECT a FROM t"));
    endless.lower(
        new ExtractSql(),
        Map.of("db_url", url, "query", "SELECT a FROM t ORDER BY a", "partition_column", "a"));
    endless.lower(new ExtractSql(), Map.of("db_url", url, "query", "SELECT a FROM t ORDER BY a"));

    assertThat(endless.problems)
        .extracting(p -> p.key() + ": " + p.message())
        .containsExactly(
            "query: query has no ORDER BY, but beside endless input it needs one over unique"
                + " columns",
            "partition_column: partition_column gives rows in no order, but beside endless input a"
                + " query needs one",
            "db_url: postgresql://127.0.0.1:1/d is not reached, or its TLS is not as db_url asks"
                + " (SQLSTATE 08001)");
  }
}
