package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.LiveRollup;
import io.millrace.event.Rollup;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.job.engagement.RunInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The sink of live rollups and a PostgreSQL that takes nothing but TLS, with the files, keys and
 * rights of the page.
 */
class PostgresTlsITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String PAGE = "docs/security.md";
  private static final String TOPIC = "tls-in";
  private static final String PASSWORD = "planted-postgres-secret-4721";
  private static final String WRONG = "planted-wrong-secret-4722";
  private static final long T = 1_767_225_600_000L; // 2026-01-01T00:00:00Z

  @TempDir private static Path folder;

  private static PrivateAuthority ours;
  private static PrivateAuthority other;
  private static PostgresServer postgres;
  private static FlinkCluster flink;

  @BeforeAll
  static void start() throws Exception {
    OptionalPackages.requirePostgres();
    OptionalPackages.requireOpenssl();
    String commands = Page.of(PAGE).block("sh", "openssl req -x509");
    ours = PrivateAuthority.in(folder.resolve("ours"), commands);
    other = PrivateAuthority.in(folder.resolve("other"), commands);
    Stack.shared().kafka().createTopic(TOPIC, 1);
    flink = Stack.shared().startFlink(1, 1, Map.of("restart-strategy.type", "none"));
    postgres = PostgresServer.startTemporary();
    makeTables();
    try (Connection connection = postgres.connect();
        Statement sql = connection.createStatement()) {
      sql.execute("CREATE USER rollups");
      sql.execute(Page.of(PAGE).block("sql", "GRANT"));
      write(connection, "server.crt", Files.readString(ours.serverCertificate()));
      write(connection, "server.key", Files.readString(ours.serverKey()));
      write(connection, "pg_hba.conf", Page.of(PAGE).block("text", "hostssl"));
      sql.execute("ALTER SYSTEM SET ssl = on");
      sql.execute("ALTER SYSTEM SET log_connections = on");
      sql.execute("SELECT pg_reload_conf()");
    }
    Await.until(
        "PostgreSQL to refuse what is not encrypted",
        PATIENCE,
        () -> refusal(config("?sslmode=disable", PASSWORD)).contains("no encryption"));
  }

  @AfterAll
  static void stop() {
    if (postgres != null) {
      postgres.close();
    }
    if (flink != null) {
      flink.close();
      Stack.shared().kafka().deleteTopics(TOPIC);
    }
  }

  @BeforeEach
  void resetPassword() throws SQLException {
    execute("ALTER USER rollups PASSWORD '" + PASSWORD + "'");
  }

  private static void makeTables() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            "psql",
            postgres.url().replace("jdbc:postgresql://", "postgresql://" + postgres.user() + "@"),
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            BuildFiles.sql("ddl/postgres.sql").toString());
    builder.environment().put("PGPASSWORD", postgres.password());
    Process psql = builder.redirectErrorStream(true).start();
    String said = new String(psql.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(psql.onExit().join().exitValue()).as(said).isZero();
  }

  /** The server writes it itself, since it takes no key that others own or may read. */
  private static void write(Connection connection, String file, String text) throws SQLException {
    try (Statement sql = connection.createStatement()) {
      sql.execute(
          "COPY (SELECT unnest(string_to_array('%s', E'\\n'))) TO PROGRAM 'umask 077; cat > %s'"
              .formatted(text.strip(), file));
    }
  }

  /** A connection of the server's owner. */
  private static Connection connect() throws SQLException {
    return DriverManager.getConnection(
        "jdbc:postgresql://localhost:%d/postgres?sslmode=verify-full&sslrootcert=%s"
            .formatted(postgres.ports().get(0), ours.certificate()),
        postgres.user(),
        postgres.password());
  }

  private static void execute(String statement) throws SQLException {
    try (Connection connection = connect();
        Statement sql = connection.createStatement()) {
      sql.execute(statement);
    }
  }

  private static String query(String query) throws SQLException {
    try (Connection connection = connect();
        Statement sql = connection.createStatement();
        ResultSet rows = sql.executeQuery(query)) {
      assertThat(rows.next()).as(query).isTrue();
      return rows.getString(1);
    }
  }

  /** The page's keys, with this server's address, and files that are there. */
  private static EngagementConfig config(PrivateAuthority trusted, String password)
      throws IOException {
    return config(
        Page.of(PAGE)
            .block("yaml", "rollups.jdbc.url")
            .replace("/etc/millrace", trusted.folder().toString()),
        password,
        "");
  }

  /** The same with other parameters in the URL. */
  private static EngagementConfig config(String parameters, String password) throws IOException {
    return config(
        Page.of(PAGE).block("yaml", "rollups.jdbc.url").replaceFirst("\\?\\S+", ""),
        password,
        parameters);
  }

  private static EngagementConfig config(String keys, String password, String parameters)
      throws IOException {
    Path secrets = Files.createTempDirectory(folder, "secrets");
    Files.writeString(secrets.resolve("postgres"), password + "\n");
    Path file =
        Files.writeString(
            secrets.resolve("job.yaml"),
            keys.replace(
                    "db.example:5432/millrace",
                    "localhost:" + postgres.ports().get(0) + "/postgres" + parameters)
                .replace("/run/secrets", secrets.toString()));
    return EngagementConfig.parse(
        new String[] {
          "--config",
          file.toString(),
          "--kafka.bootstrap-servers",
          Stack.shared().kafka().bootstrap(),
          "--topics",
          TOPIC + ":*",
          "--dead-letters.topics",
          "false",
          "--sessions.topic",
          "",
          "--rollups.live-topic",
          "",
          "--anomalies.topic",
          "",
          "--lake.root",
          folder.resolve("lake").toUri().toString()
        });
  }

  private static LiveRollup live(long number) {
    return new LiveRollup(
        new Rollup(
            new Cell(false, T, 5, List.of("device-" + number % 7, "ALL_VERSIONS", "DE")),
            new CellCounts(new long[] {number, 1, 2, 8, 2}, 17, 4, 1, 10_500, new byte[] {1}),
            false),
        false,
        false);
  }

  private static JobID write(EngagementConfig config, long records, double perSecond) {
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    env.setParallelism(1);
    GeneratorFunction<Long, LiveRollup> rows = PostgresTlsITCase::live;
    env.fromSource(
            new DataGeneratorSource<>(
                rows,
                records,
                RateLimiterStrategy.perSecond(perSecond),
                TypeInformation.of(LiveRollup.class)),
            WatermarkStrategy.noWatermarks(),
            "records")
        .uid("records")
        .sinkTo(EngagementPorts.connect(config, new RunInfo("run-1", "0.1.0")).liveTable())
        .uid("sink");
    return flink.submit(env);
  }

  @Test
  void theSinkWritesOverTls() throws Exception {
    EngagementConfig config = config(ours, PASSWORD);
    assertThatCode(() -> EngagementPorts.verify(config)).doesNotThrowAnyException();
    execute("DELETE FROM rollups_live");
    flink.waitUntilFinished(write(config, 100, 1_000), PATIENCE);
    assertThat(query("SELECT sum(total_events)::text FROM rollups_live"))
        .isEqualTo(Integer.toString(IntStream.rangeClosed(93, 99).sum()));
    assertThat(logged("connection authorized: user=rollups"))
        .isNotEmpty()
        .allMatch(line -> line.contains(" SSL enabled "));
  }

  @Test
  void whatIsNotEncryptedIsRefused() throws Exception {
    assertThat(refusal(config("?sslmode=disable", PASSWORD)))
        .endsWith("user \"rollups\", database \"postgres\", no encryption");
  }

  @Test
  void anUnknownAuthorityIsOneErrorAndOneAttempt() throws Exception {
    EngagementConfig config = config(other, PASSWORD);
    assertOneAttempt(config, "SSL error: PKIX path validation failed: ");
  }

  @Test
  void aWrongPasswordIsOneErrorAndOneAttempt() throws Exception {
    EngagementConfig config = config(ours, WRONG);
    assertOneAttempt(config, "FATAL: password authentication failed for user \"rollups\"");
  }

  /** At submission, and when the job runs all the same. */
  private static void assertOneAttempt(EngagementConfig config, String problem) throws Exception {
    String line = "rollups.jdbc.url " + config.rollups().jdbc().url() + ": " + problem;
    int before = attempts();
    assertThat(refusal(config)).startsWith(line).hasLineCount(1);
    assertThat(attempts() - before).as("attempts at submission").isEqualTo(1);

    before = attempts();
    JobID job = write(config, 100, 1_000);
    flink.waitUntil(job, JobStatus.FAILED, PATIENCE);
    assertThat(attempts() - before).as("attempts of the job").isEqualTo(1);
    assertThat(failure(job)).contains("SQLException: " + line);
  }

  /** A lost connection is waited for; who is refused is not let in by asking again. */
  @Test
  void aPasswordThatIsChangedMeanwhileIsAskedForOnce() throws Exception {
    EngagementConfig config = config(ours, PASSWORD);
    execute("DELETE FROM rollups_live");
    JobID job = write(config, 1_000_000, 200);
    Await.until(
        "the first row", PATIENCE, () -> !query("SELECT count(*) FROM rollups_live").equals("0"));
    int before;
    try (Connection owner = connect();
        Statement sql = owner.createStatement()) {
      before = attempts();
      sql.execute("ALTER USER rollups PASSWORD '" + WRONG + "'");
      sql.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rollups'");
    }
    flink.waitUntil(job, JobStatus.FAILED, PATIENCE);
    assertThat(attempts() - before).isEqualTo(1);
    assertThat(failure(job)).contains("FATAL: password authentication failed for user");
  }

  /** How often a client has connected so far. */
  private static int attempts() throws IOException {
    return logged("connection received: ").size();
  }

  private static List<String> logged(String part) throws IOException {
    return Files.readAllLines(postgres.log()).stream().filter(l -> l.contains(part)).toList();
  }

  private static String refusal(EngagementConfig config) {
    Throwable refused = catchThrowable(() -> EngagementPorts.verify(config));
    assertThat(refused).isInstanceOf(IllegalStateException.class);
    assertNoSecretIn(stackTrace(refused));
    return refused.getMessage();
  }

  /** What the cluster tells of a job that failed. */
  private static String failure(JobID job) {
    String trace = stackTrace(catchThrowable(() -> flink.waitUntilFinished(job, PATIENCE)));
    assertNoSecretIn(trace);
    return trace;
  }

  private static String stackTrace(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text, true));
    return text.toString();
  }

  private static void assertNoSecretIn(String text) {
    assertThat(text).doesNotContain(PASSWORD, WRONG);
  }
}
