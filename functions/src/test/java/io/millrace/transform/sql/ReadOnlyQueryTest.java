package io.millrace.transform.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReadOnlyQueryTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 1",
        "select a.b, 'it''s', \"Q\"\"x\" from t where x >= 1 and j ->> 'a' = 'b'",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r WHERE n<5) SELECT n FROM r",
        "(SELECT 1) UNION ALL SELECT 2 ORDER BY 1",
        "SELECT 'delete' AS action, \"update\", deleted FROM t WHERE note = 'x; DROP TABLE y'",
        "SELECT x::numeric(10,2), a @> b, j ? 'k', interval '1 day', ARRAY[1,2], extract(year from"
            + " d) FROM t",
        "SELECT count(*) FILTER (WHERE x>1) OVER (PARTITION BY y ORDER BY z) FROM t",
        "SELECT DISTINCT ON (a) a, b FROM t LEFT JOIN LATERAL (SELECT 1) q ON true LIMIT 5 OFFSET"
            + " 2",
        "SELECT string_agg(a, ',' ORDER BY b), percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM"
            + " t",
        "SELECT substring(a FROM 2 FOR 3), pg_typeof(a) FROM generate_series(1, 10) AS g(a)",
        "SELECT a FROM t WHERE a LIKE '50\\%' ESCAPE '\\'",
        "SELECT E'a\\nb', N'c', B'01', X'1F'",
      })
  void takesWhatReads(String query) {
    assertThat(ReadOnlyQuery.of(query).sql()).isEqualTo(query);
    assertThat(ReadOnlyQuery.of(query + " ;\n").sql().strip()).isEqualTo(query);
  }

  @Test
  void sendsTheWordsWithoutWhatIsBetween() {
    assertThat(
            ReadOnlyQuery.of(
                    """
                    -- orders; DELETE FROM orders
                    SELECT id, /* a /* nested */ comment */ 'a -- b'
                      FROM orders -- end
                     WHERE id>1;
                    """)
                .sql())
        .isEqualTo("SELECT id, 'a -- b' FROM orders WHERE id>1");
  }

  static Stream<List<String>> hostile() {
    String select = "query must be one SELECT, or WITH ... SELECT";
    String more = "query goes on after its end, but must be one statement";
    String two = ", which may be read in two ways; write it otherwise";
    String calls = ", which does more than read tables";
    String writes = ", which writes; it may only read";
    String locks = ", which locks rows; it may only read";
    return Stream.of(
        List.of(";", select),
        List.of("-- nothing", select),
        List.of("DELETE FROM t", select),
        List.of("INSERT INTO t VALUES (1)", select),
        List.of("UPDATE t SET a = 1", select),
        List.of("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", select),
        List.of("TRUNCATE t", select),
        List.of("DROP TABLE t", select),
        List.of("CREATE TABLE x AS SELECT 1", select),
        List.of("COPY t TO '/tmp/x'", select),
        List.of("COPY (SELECT 1) TO PROGRAM 'id'", select),
        List.of("CALL p()", select),
        List.of("DO $$ BEGIN PERFORM 1; END $$", select),
        List.of("EXPLAIN ANALYZE DELETE FROM t", select),
        List.of("EXPLAIN SELECT 1", select),
        List.of("SET ROLE postgres", select),
        List.of("BEGIN", select),
        List.of("LOCK TABLE t", select),
        List.of("VALUES (1)", select),
        List.of("TABLE t", select),
        List.of("PREPARE p AS SELECT 1", select),
        List.of("SELECT 1; DROP TABLE t", more),
        List.of("SELECT 1;;", more),
        List.of("SELECT 1; COMMIT; DELETE FROM t", more),
        List.of("SELECT 1\n/\nDELETE FROM t", more),
        List.of("SELECT 1\n\n\n\nDELETE FROM t", more),
        List.of(
            "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            "query has DELETE in line 1, column 12" + writes),
        List.of(
            "WITH d AS MATERIALIZED (\nINSERT INTO t SELECT 1 RETURNING *) SELECT * FROM d",
            "query has INSERT in line 2, column 1" + writes),
        List.of(
            "SELECT * FROM (WITH d AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM d) q",
            "query has UPDATE in line 1, column 27" + writes),
        List.of(
            "WITH b AS (WITH a AS (SELECT 1) DELETE FROM t RETURNING *) SELECT * FROM b",
            "query has DELETE in line 1, column 33" + writes),
        List.of(
            "SELECT ts_rewrite('a'::tsquery, 'SELECT pg_sleep(9)')",
            "query calls ts_rewrite in line 1, column 8" + calls),
        List.of("SELECT * INTO x FROM t", "query has INTO in line 1, column 10" + writes),
        List.of("SELECT * FROM t FOR UPDATE", "query has FOR UPDATE in line 1, column 17" + locks),
        List.of(
            "SELECT * FROM t for /**/ share", "query has FOR SHARE in line 1, column 17" + locks),
        List.of(
            "SELECT * FROM (SELECT * FROM t FOR NO KEY UPDATE) q",
            "query has FOR NO in line 1, column 32" + locks),
        List.of(
            "SELECT pg_read_file('/etc/passwd')",
            "query calls pg_read_file in line 1, column 8" + calls),
        List.of(
            "SELECT pg_catalog . \"pg_read_file\" /* x */ ('/etc/passwd')",
            "query calls pg_read_file in line 1, column 21" + calls),
        List.of("SELECT PG_SLEEP(1000)", "query calls pg_sleep in line 1, column 8" + calls),
        List.of(
            "SELECT 1 -- x\r , pg_sleep(1)", "query calls pg_sleep in line 2, column 4" + calls),
        List.of(
            "SELECT * FROM pg_ls_dir('.') AS f",
            "query calls pg_ls_dir in line 1, column 15" + calls),
        List.of(
            "SELECT lo_export(1, '/tmp/x')", "query calls lo_export in line 1, column 8" + calls),
        List.of(
            "SELECT lo_import('/etc/passwd')", "query calls lo_import in line 1, column 8" + calls),
        List.of(
            "SELECT * FROM t, dblink('host=x', 'DELETE FROM t') AS x(y int)",
            "query calls dblink in line 1, column 18" + calls),
        List.of(
            "SELECT dblink_exec('x', 'DROP TABLE t')",
            "query calls dblink_exec in line 1, column 8" + calls),
        List.of(
            "SELECT set_config('transaction_read_only', 'off', false)",
            "query calls set_config in line 1, column 8" + calls),
        List.of("SELECT nextval('s')", "query calls nextval in line 1, column 8" + calls),
        List.of(
            "SELECT query_to_xml('DELETE FROM t', true, true, '')",
            "query calls query_to_xml in line 1, column 8" + calls),
        List.of(
            "SELECT pg_terminate_backend(1)",
            "query calls pg_terminate_backend in line 1, column 8" + calls),
        List.of(
            "SELECT E'a\\' , ' , pg_sleep(1) , '",
            "query has a backslash before a quote in line 1, column 8" + two),
        List.of(
            "SELECT e 'a\\' , ' , pg_sleep(1) , '",
            "query has a backslash before a quote in line 1, column 10" + two),
        List.of("SELECT U&\"\\0070g_sleep\"(1)", "query has U& in line 1, column 8" + two),
        List.of(
            "SELECT a$$ , 1, $$ x $$",
            "query has a name with $ or in backquotes in line 1, column 8" + two),
        List.of(
            "SELECT $$x$$",
            "query has a text in other quotes than '...' in line 1, column 8" + two),
        List.of(
            "SELECT q'{a'b}'",
            "query has a text in other quotes than '...' in line 1, column 8" + two),
        List.of(
            "SELECT 1 ` 2 ` 3",
            "query has a name with $ or in backquotes in line 1, column 10" + two),
        List.of("SELECT {fn now()}", "query has { in line 1, column 8" + two),
        List.of("SELECT FROM WHERE", "query cannot be read as SQL: line 1, column 1"),
        List.of("SELECT 'never ends", "query cannot be read as SQL: line 1, column 19"),
        List.of("SELECT 1)", "query cannot be read as SQL: line 1, column 9"),
        List.of(
            "SELECT " + "(".repeat(51) + "1" + ")".repeat(51),
            "query nests more than 50 pairs of parentheses"),
        List.of(
            "SELECT '" + "x".repeat(100_000) + "'",
            "query has 100009 characters, but may have at most 100000"));
  }

  @ParameterizedTest
  @MethodSource("hostile")
  void refusesTheRest(List<String> queryAndMessage) {
    assertThatThrownBy(() -> ReadOnlyQuery.of(queryAndMessage.get(0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(queryAndMessage.get(1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "postgresql://127.0.0.1/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "jdbc:postgresql://127.0.0.1:5432/shop",
        "postgresql+psycopg2://127.0.0.1/shop",
        "postgres://127.0.0.1/shop"
      })
  void anAddressIsShownWithoutItsParameters(String address) {
    assertThat(new SqlAddress(address, null, null).shown())
        .isEqualTo("postgresql://127.0.0.1:5432/shop");
  }

  static Stream<List<String>> addresses() {
    String credentials =
        "db_url holds a user or a password; give the whole of it by reference, as env:NAME or"
            + " file:/path, or take the parameters user and password";
    String parameter =
        "db_url has a parameter that is not allowed; these are: ApplicationName, channelBinding,"
            + " connectTimeout, currentSchema, gssEncMode, loginTimeout, socketTimeout, ssl,"
            + " sslNegotiation, sslcert, sslkey, sslmode, sslpassword, sslrootcert, tcpKeepAlive";
    String place = "db_url must name one host and a database: postgresql://HOST:PORT/NAME";
    return Stream.of(
        List.of("postgresql://ann:s3cret@h/d", credentials),
        List.of("postgresql://ann@h/d", credentials),
        List.of("jdbc:postgresql://h/d?user=ann&password=s3cret", credentials),
        List.of("postgresql://h/d?sslpassword=s3cret", credentials),
        List.of("postgresql://h/d?socketFactory=x.Y&socketFactoryArg=s3cret", parameter),
        List.of("postgresql://h/d?loggerFile=/tmp/s3cret", parameter),
        List.of("postgresql://h/d?options=-c%20default_transaction_read_only=off", parameter),
        List.of("postgresql://h", place),
        List.of("postgresql://h1:1,h2:2/d", place),
        List.of("mysql://h/d", "db_url is of mysql, but only PostgreSQL is read"),
        List.of("sqlite:///etc/passwd", "db_url is of sqlite, but only PostgreSQL is read"),
        List.of("h/d", "db_url must begin with postgresql://; only PostgreSQL is read"),
        List.of(
            "postgresql://ann:s3 cret@h/d",
            "db_url is no address; characters such as @ and / in a password are written as %40,"
                + " %2F"));
  }

  @ParameterizedTest
  @MethodSource("addresses")
  void aWrongAddressIsNotRepeated(List<String> addressAndMessage) {
    assertThatThrownBy(() -> new SqlAddress(addressAndMessage.get(0), null, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(addressAndMessage.get(1))
        .message()
        .doesNotContain("s3");
  }

  @Test
  void aDatabaseThatIsNotThereIsOneLine() {
    assertThatThrownBy(
            () ->
                new SqlAddress("postgresql://127.0.0.1:1/d", "ann", null)
                    .connect(Duration.ofSeconds(1)))
        .hasMessage(
            "postgresql://127.0.0.1:1/d is not reached, or its TLS is not as db_url asks"
                + " (SQLSTATE 08001)")
        .hasNoCause();
  }
}
