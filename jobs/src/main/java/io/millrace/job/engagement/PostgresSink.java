package io.millrace.job.engagement;

import io.millrace.config.Secret;
import io.millrace.job.engagement.EngagementConfig.Jdbc;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import javax.annotation.Nullable;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.jdbc.JdbcConnectionOptions;
import org.apache.flink.connector.jdbc.JdbcExecutionOptions;
import org.apache.flink.connector.jdbc.JdbcStatementBuilder;
import org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink;
import org.apache.flink.connector.jdbc.datasource.connections.JdbcConnectionProvider;
import org.apache.flink.connector.jdbc.datasource.connections.SimpleJdbcConnectionProvider;
import org.apache.flink.util.ExceptionUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connector's sink in batches, at least once, so that a database that fails fails the job and
 * no more: the connector's own writer also throws when it is closed with rows that it cannot write,
 * and for that Flink ends the TaskManager. It waits for a database that is started again, and not
 * for one that refuses it.
 */
final class PostgresSink<T> implements Sink<T> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(PostgresSink.class);
  private static final Duration BATCH_INTERVAL = Duration.ofSeconds(1);
  private static final int BATCH_ROWS = 1_000;
  private static final int RETRIES = 3;

  private final Connections connections;
  private final JdbcSink<T> sink;

  PostgresSink(Jdbc jdbc, String statement, JdbcStatementBuilder<T> parameters) {
    this.connections = new Connections(jdbc);
    this.sink =
        JdbcSink.<T>builder()
            .withQueryStatement(statement, parameters)
            .withExecutionOptions(
                JdbcExecutionOptions.builder()
                    .withBatchSize(BATCH_ROWS)
                    .withBatchIntervalMs(BATCH_INTERVAL.toMillis())
                    .withMaxRetries(RETRIES)
                    .build())
            .buildAtLeastOnce(connections);
  }

  /**
   * A connection as the sink makes it, to be closed by the caller.
   *
   * @throws SQLException in one line that says what is wrong
   */
  static Connection connect(Jdbc jdbc) throws SQLException, ClassNotFoundException {
    return new Connections(jdbc).getOrEstablishConnection();
  }

  /** What a database or its driver says, in one line that names the option. */
  static String problem(Jdbc jdbc, Exception failure) {
    return problem(jdbc.url(), failure);
  }

  private static String problem(String url, Exception failure) {
    return "rollups.jdbc.url "
        + url
        + ": "
        + String.valueOf(failure.getMessage()).lines().findFirst().orElse("no answer");
  }

  @Override
  public SinkWriter<T> createWriter(WriterInitContext context) throws IOException {
    return new Writer<>(sink.createWriter(context), connections);
  }

  private record Writer<T>(SinkWriter<T> writer, Connections connections) implements SinkWriter<T> {
    @Override
    public void write(T row, Context context) throws IOException, InterruptedException {
      writer.write(row, context);
    }

    @Override
    public void flush(boolean endOfInput) throws IOException, InterruptedException {
      writer.flush(endOfInput);
    }

    @Override
    public void close() {
      // Rows that are not written by now are sent again after the restart.
      connections.giveUp();
      try {
        writer.close();
      } catch (Exception e) {
        LOG.warn("rows are left behind when the database's writer closes: {}", e.toString());
      }
    }
  }

  /** Connections whose password is read where they are made: only its reference travels. */
  private static final class Connections implements JdbcConnectionProvider {
    private static final long serialVersionUID = 1L;
    private static final int CHECK_SECONDS = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final Duration PAUSE = Duration.ofMillis(500);

    /** The class of the states of a server that does not let in who asks. */
    private static final String INVALID_AUTHORIZATION = "28";

    private final String url;
    @Nullable private final String user;
    @Nullable private final Secret password;
    @Nullable private transient SimpleJdbcConnectionProvider connections;
    private transient volatile boolean closing;

    Connections(Jdbc jdbc) {
      this.url = jdbc.url();
      this.user = jdbc.user();
      this.password = jdbc.password();
    }

    private SimpleJdbcConnectionProvider connections() {
      if (connections == null) {
        JdbcConnectionOptions.JdbcConnectionOptionsBuilder options =
            new JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
                .withUrl(url)
                .withDriverName("org.postgresql.Driver")
                .withConnectionCheckTimeoutSeconds(CHECK_SECONDS);
        if (user != null) {
          options.withUsername(user);
        }
        if (password != null) {
          options.withPassword(password.resolve());
        }
        connections = new SimpleJdbcConnectionProvider(options.build());
      }
      return connections;
    }

    void giveUp() {
      closing = true;
    }

    @Nullable
    @Override
    public Connection getConnection() {
      return connections().getConnection();
    }

    @Override
    public boolean isConnectionValid() throws SQLException {
      return connections().isConnectionValid();
    }

    @Override
    public Connection getOrEstablishConnection() throws SQLException, ClassNotFoundException {
      try {
        return connections().getOrEstablishConnection();
      } catch (SQLException e) {
        throw new SQLException(problem(url, e), e.getSQLState(), e);
      }
    }

    @Override
    public void closeConnection() {
      connections().closeConnection();
    }

    /** The connector asks once and gives up: so this waits for a database that starts again. */
    @Override
    public Connection reestablishConnection() throws SQLException, ClassNotFoundException {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      closeConnection();
      while (!closing) {
        try {
          return getOrEstablishConnection();
        } catch (SQLException e) {
          boolean late = System.nanoTime() - deadline >= 0;
          if (late || isRefusal(e) || Thread.currentThread().isInterrupted()) {
            throw e;
          }
          LockSupport.parkNanos(PAUSE.toNanos());
        }
      }
      throw new SQLException(
          "rollups.jdbc.url " + url + ": the connection is lost, and the writer closes");
    }

    /** Whether it would be the same again: who asks is not let in, or who answers not trusted. */
    private static boolean isRefusal(SQLException failure) {
      String state = failure.getSQLState();
      return (state != null && state.startsWith(INVALID_AUTHORIZATION))
          || ExceptionUtils.findThrowable(failure, CertificateException.class).isPresent();
    }
  }
}
