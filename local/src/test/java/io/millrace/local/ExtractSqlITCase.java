package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.pipeline.EmbeddedCluster;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineRunner;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.RunReport;
import io.millrace.pipeline.RunReport.Status;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Problem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.util.InstantiationUtil;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pipelines that read a real PostgreSQL: types, order, parts, and that nothing is ever changed. */
class ExtractSqlITCase {
  private static final String PASSWORD = "s3cret/pa@ss-9127";

  private static PostgresServer postgres;
  private static EmbeddedCluster cluster;

  @TempDir Path root;

  @BeforeAll
  static void start() throws Exception {
    OptionalPackages.requirePostgres();
    postgres = PostgresServer.startTemporary();
    cluster = EmbeddedCluster.start(2);
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE ROLE reader LOGIN PASSWORD '" + PASSWORD + "'");
      statement.execute(
          """
          CREATE TABLE numbers AS
          SELECT CASE WHEN i % 10 = 0 THEN NULL ELSE i END AS id, (i * 7919) % 5000 AS shuffled,
            TIMESTAMPTZ '2026-01-01 00:00:00+00' + i * INTERVAL '1 minute' AS at, DATE '2026-01-01' + i AS day
          FROM generate_series(1, 5000) AS i
          """);
      statement.execute(
          """
          CREATE TABLE kinds AS
          SELECT true AS b, 1::int2 AS i2, 2 AS i4, 3000000000 AS i8, 0.1::float4 AS f4,
            1e-5::float8 AS f8, 12.5::numeric(10,2) AS n, 1.23::numeric AS free,
            'größe'::text AS t, 'x'::char(3) AS c, '\\x0102ff'::bytea AS raw,
            DATE '2024-02-29' AS d, TIME '10:00:00.5' AS time,
            TIMESTAMP '2024-02-11 10:00:00.123456' AS ts,
            TIMESTAMPTZ '2024-02-11 10:00:00+02' AS tz, '{"a": 1}'::jsonb AS j,
            ARRAY[1, NULL, 3] AS a, ARRAY['x', 'y'] AS texts, ARRAY[DATE '2024-01-01'] AS days,
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, INTERVAL '1 day' AS span
          """);
      statement.execute("INSERT INTO kinds DEFAULT VALUES");
      statement.execute("CREATE TABLE customers (id int, name text, country text)");
      statement.execute("INSERT INTO customers VALUES (2, 'Bo', 'SE'), (1, 'Ann', NULL)");
      // What a query of only reading words may still call.
      statement.execute(
          "CREATE FUNCTION sneaky() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN DELETE FROM numbers;"
              + " RETURN 1; END $$");
      statement.execute(
          "CREATE FUNCTION slow() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60);"
              + " RETURN 1; END $$");
      statement.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
    if (postgres != null) {
      postgres.close();
    }
  }

  /** The address with user and password, where only a reference shows. */
  private String reference() throws IOException {
    Path file = root.resolve("secret-url");
    Files.writeString(
        file,
        postgres.url().replace("jdbc:postgresql://", "postgresql://reader:s3cret%2Fpa%40ss-9127@")
            + "?sslmode=prefer\n");
    return "file:" + file;
  }

  private String yaml(String parameters, String format) {
    return """
    pipeline:
      name: shop
      steps:
        - id: read
          service: extract_sql
          params:
    %s
        - id: save
          service: load_data
          params: %s
          depends_on: [read]
    """
        .formatted(parameters.indent(8).stripTrailing(), format);
  }

  private Compilation compile(String yaml) {
    PipelineFile file = PipelineParser.parse(yaml);
    Validation validation = PipelineValidator.validate(file, StandardCatalog.standard());
    assertThat(validation.problems()).isEmpty();
    return PipelineCheck.compile(
        file,
        validation,
        StandardCatalog.standard(),
        cluster.environment(validation.bounded()),
        DataRoot.at(root));
  }

  private RunReport run(String yaml) {
    Compilation compilation = compile(yaml);
    assertThat(compilation.problems()).isEmpty();
    return PipelineRunner.run(compilation, (step, rows, done) -> {});
  }

  private List<String> rows(String parameters) throws IOException {
    RunReport report = run(yaml(parameters, "{format: csv, path: out.csv}"));
    assertThat(report.error()).isNull();
    assertThat(report.status()).isEqualTo(Status.COMPLETED);
    List<String> lines = Files.readAllLines(root.resolve("out.csv"));
    return lines.subList(1, lines.size());
  }

  private String failure(String parameters) {
    RunReport report = run(yaml(parameters, "{format: csv}"));
    assertThat(report.status()).isEqualTo(Status.FAILED);
    return report.error();
  }

  private String refusal(String parameters) {
    List<Problem> problems = compile(yaml(parameters, "{format: csv}")).problems();
    assertThat(problems).hasSize(1);
    return problems.get(0).toString().replaceFirst("^line \\d+: ", "");
  }

  private static List<String> database(String query) throws SQLException {
    List<String> values = new ArrayList<>();
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        values.add(rows.getString(1));
      }
    }
    return values;
  }

  @Test
  void theExampleOfTheCatalogRuns() throws Exception {
    Path user = Files.writeString(root.resolve("user"), "reader");
    Path password = Files.writeString(root.resolve("password"), PASSWORD);
    String example =
        StandardCatalog.standard()
            .find("extract_sql")
            .orElseThrow()
            .declaration()
            .examples()
            .get(0)
            .replace("postgresql://localhost:5432/shop", postgres.url().substring("jdbc:".length()))
            .replace("env:SHOP_USER", "file:" + user)
            .replace("env:SHOP_PASSWORD", "file:" + password)
            .replace("{format: parquet}", "{format: csv}");

    RunReport report = run(example);

    assertThat(report.error()).isNull();
    assertThat(Files.readString(root.resolve("customers/processed/save.csv")))
        .isEqualTo("id,name,country\n1,Ann,\n2,Bo,SE\n");
    assertThat(report.step("read").rowsOut()).isEqualTo(2);
    assertThat(report.step("read").figures())
        .containsEntry("db_url_redacted", "postgresql://" + postgres.address() + "/postgres")
        .containsEntry("query_preview", "SELECT id, name, country FROM customers ORDER BY id");
  }

  @Test
  void everyTypeHasItsPlace() throws Exception {
    RunReport report =
        run(
            yaml(
                "db_url: " + reference() + "\nquery: SELECT * FROM kinds ORDER BY b",
                "{format: json, lines: true, path: out.json}"));

    assertThat(report.error()).isNull();
    List<String> lines = Files.readAllLines(root.resolve("out.json"));
    assertThat(lines.get(0))
        .isEqualTo(
            "{'b':true,'i2':1,'i4':2,'i8':3000000000,'f4':0.1,'f8':1.0E-5,'n':12.50,"
                    .replace('\'', '"')
                + ("'free':1.230000000000000000,'t':'größe','c':'x  ','raw':'AQL/','d':1709164800000,"
                        + "'time':'10:00:00.5','ts':1707645600123,'tz':1707638400000,")
                    .replace('\'', '"')
                + "\"j\":\"{\\\"a\\\": 1}\","
                + ("'a':[1,null,3],'texts':['x','y'],'days':[1704067200000],"
                        + "'u':'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',"
                        + "'span':'1 day'}")
                    .replace('\'', '"'));
    assertThat(lines.get(1)).contains("\"b\":null", "\"a\":null", "\"span\":null");
    assertThat(lines).hasSize(2);
  }

  @Test
  void aQueryKeepsItsOrderAndPartsGiveEachRowOnce() throws Exception {
    String address = "db_url: " + reference() + "\n";
    String query = "query: SELECT shuffled FROM numbers ORDER BY shuffled DESC\nfetch_size: 7\n";
    List<String> descending =
        IntStream.range(0, 5000).mapToObj(i -> Integer.toString(4999 - i)).toList();
    assertThat(rows(address + query)).isEqualTo(descending);

    // Bounds that leave most of the values outside, and a column with nulls.
    String parts =
        address
            + "query: SELECT id, shuffled FROM numbers\npartition_column: id\npartitions: 5\n"
            + "lower_bound: 100\nupper_bound: 300\n";
    List<String> expected = database("SELECT concat(id, ',', shuffled) FROM numbers");
    assertThat(rows(parts)).containsExactlyInAnyOrderElementsOf(expected);
    for (String column : List.of("at", "day", "shuffled")) {
      assertThat(
              rows(
                  address
                      + "query: SELECT "
                      + column
                      + ", shuffled AS x FROM numbers WHERE id < 100\npartition_column: "
                      + column
                      + "\n"))
          .as(column)
          .hasSize(database("SELECT id FROM numbers WHERE id < 100").size())
          .doesNotHaveDuplicates();
    }
    assertThat(
            rows(
                address
                    + "query: SELECT day FROM numbers WHERE id IN (1, 2, 3)\npartition_column: day\n"
                    + "lower_bound: 2026-01-03\nupper_bound: 2026-12-31\npartitions: 5\n"))
        .containsExactlyInAnyOrder("2026-01-02", "2026-01-03", "2026-01-04");
    assertThat(rows(address + "query: SELECT id FROM numbers WHERE false\npartition_column: id\n"))
        .isEmpty();
  }

  @Test
  void nothingIsChangedAndNothingTakesForEver() throws Exception {
    String address = "db_url: " + reference() + "\n";
    assertThat(failure(address + "query: SELECT sneaky() AS s\n"))
        .isEqualTo(
            "the query fails: ERROR: cannot execute DELETE in a read-only transaction (SQLSTATE"
                + " 25006)");
    assertThat(failure(address + "query: SELECT slow() AS s\ntimeout: 300 ms\n"))
        .isEqualTo(
            "the query fails: ERROR: canceling statement due to statement timeout (SQLSTATE 57014)");
    assertThat(refusal(address + "query: WITH d AS (DELETE FROM numbers RETURNING *) SELECT 1\n"))
        .isEqualTo(
            "step 'read': query has DELETE in line 1, column 12, which writes; it may only read");
    assertThat(database("SELECT count(*) FROM numbers")).containsExactly("5000");
  }

  @Test
  void aProblemIsOneLine() throws Exception {
    String address = "db_url: " + reference() + "\n";
    assertThat(refusal(address + "query: SELECT * FROM missing\n"))
        .isEqualTo(
            "step 'read': the query fails: ERROR: relation \"missing\" does not exist (SQLSTATE"
                + " 42P01)");
    assertThat(refusal(address + "query: SELECT 1 AS a, 2 AS a\n"))
        .isEqualTo("step 'read': the query gives two columns 'a'; rename one of them with AS");
    assertThat(refusal(address + "query: SELECT 1::numeric(40, 2) AS a\n"))
        .isEqualTo(
            "step 'read': the column 'a' is numeric(40, 2), but at most 38 digits are held; cast it"
                + " in the query");
    assertThat(refusal(address + "query: SELECT 1 AS a\npartition_column: b\n"))
        .isEqualTo("step 'read': partition_column is 'b', but the query gives only a");
    assertThat(refusal(address + "query: SELECT 'x' AS a\npartition_column: a\n"))
        .isEqualTo(
            "step 'read': partition_column 'a' is STRING, but must be an integer, a date or a"
                + " timestamp");
    assertThat(
            refusal(
                address
                    + "query: SELECT 1 AS a\npartition_column: a\nlower_bound: x\nupper_bound: 2\n"))
        .isEqualTo("step 'read': lower_bound is 'x', but must be a whole number, as a is");
    assertThat(
            refusal(
                address
                    + "query: SELECT 1 AS a\npartition_column: a\nlower_bound: 3\nupper_bound: 2\n"))
        .isEqualTo("step 'read': lower_bound is above upper_bound");
    assertThat(refusal(address + "query: SELECT 1 AS a\nlower_bound: 1\n"))
        .isEqualTo("step 'read': lower_bound is given, but no partition_column that it is of");
    assertThat(failure(address + "query: \"SELECT 'NaN'::numeric AS a\"\n"))
        .isEqualTo("the column 'a' has NaN, which numeric cannot hold here; cast it in the query");
    assertThat(failure(address + "query: \"SELECT 'infinity'::date AS a\"\n"))
        .isEqualTo(
            "the column 'a' has infinity, which DATE cannot hold here; cast it in the query");
    assertThat(failure(address + "query: \"SELECT 1e30::numeric AS a\"\n"))
        .endsWith(", which DECIMAL(38, 18) cannot hold here; cast it in the query");
  }

  /** Collects what is logged, at every level of the loggers. */
  private static final class Log extends AbstractAppender {
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();

    Log() {
      super("collect", null, null, true, Property.EMPTY_ARRAY);
    }

    @Override
    public void append(LogEvent event) {
      lines.add(event.getMessage().getFormattedMessage());
      for (Throwable t = event.getThrown(); t != null; t = t.getCause()) {
        lines.add(t.toString());
      }
    }
  }

  @Test
  void noSecretIsInLogsPlansReportsOrMessages() throws Exception {
    LoggerContext context = (LoggerContext) LogManager.getContext(false);
    Log log = new Log();
    log.start();
    Level level = context.getConfiguration().getRootLogger().getLevel();
    context.getConfiguration().getRootLogger().addAppender(log, Level.ALL, null);
    context.getConfiguration().getRootLogger().setLevel(Level.DEBUG);
    context.updateLoggers();
    StringBuilder seen = new StringBuilder();
    try {
      Path password = Files.writeString(root.resolve("password"), PASSWORD);
      String plain =
          "db_url: " + postgres.url() + "\nuser: reader\npassword: file:" + password + "\n";
      for (String address : List.of("db_url: " + reference() + "\n", plain)) {
        Compilation compilation =
            compile(yaml(address + "query: SELECT id FROM customers\n", "{format: csv}"));
        StreamGraph graph = compilation.environment().getStreamGraph(false);
        byte[] bytes = InstantiationUtil.serializeObject(graph.getJobGraph());
        seen.append(new String(bytes, StandardCharsets.ISO_8859_1));
        seen.append(graph.getStreamingPlanAsJSON());
        RunReport report = PipelineRunner.run(compilation, (step, rows, done) -> {});
        assertThat(report.error()).isNull();
        seen.append(report.toJson());
        seen.append(run(yaml(address + "query: SELECT sneaky() AS s\n", "{format: csv}")).toJson());
      }
      Path wrong = Files.writeString(root.resolve("wrong"), PASSWORD + "x");
      String message =
          refusal(
              "db_url: "
                  + postgres.url()
                  + "\nuser: reader\npassword: file:"
                  + wrong
                  + "\nquery: SELECT 1 AS a\n");
      assertThat(message)
          .isEqualTo(
              "step 'read': postgresql://"
                  + postgres.address()
                  + "/postgres does not take the user or the password (SQLSTATE 28P01)");
      String misplaced =
          refusal(
              "db_url: "
                  + postgres
                      .url()
                      .replace(
                          "//",
                          "//reader:" + PASSWORD.replace("/", "%2F").replace("@", "%40") + "@")
                  + "\nquery: SELECT 1 AS a\n");
      assertThat(misplaced).startsWith("step 'read': db_url holds a user or a password;");
      seen.append(message).append(misplaced);
    } finally {
      context.getConfiguration().getRootLogger().removeAppender("collect");
      context.getConfiguration().getRootLogger().setLevel(level);
      context.updateLoggers();
    }
    String logged = String.join("\n", log.lines);
    assertThat(logged).contains("shop");
    seen.append(logged);
    assertThat(seen.indexOf("s3cret")).as("a secret in what was seen").isNegative();
    assertThat(seen.indexOf("pa@ss-9127")).isNegative();
    assertThat(seen.indexOf("pa%40ss")).isNegative();
  }
}
