package io.millrace.transform.sql;

import io.millrace.config.Secret;
import java.io.IOException;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.annotation.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Where a PostgreSQL database is and who asks: {@code postgresql://HOST:PORT/NAME?sslmode=require},
 * with {@code jdbc:} before it or not. It travels with the job as it was written, by reference
 * where it holds a secret, and is read where a connection is made. No message of it holds a user or
 * a password.
 */
public final class SqlAddress implements Serializable {
  private static final long serialVersionUID = 1L;

  /**
   * Set by who operates Millrace: the hosts that pipelines may ask, with commas between them.
   * Without it they may ask all but link-local ones, where clouds tell machines their secrets.
   */
  public static final String HOSTS_VARIABLE = "MILLRACE_SQL_HOSTS";

  private static final String HOSTS_PROPERTY = "millrace.sql.hosts";

  private static final int PORT = 5432;
  private static final int CONNECT_SECONDS = 10;

  /** Others can load classes and write files. */
  private static final Set<String> PARAMETERS =
      new TreeSet<>(
          Set.of(
              "ssl",
              "sslmode",
              "sslrootcert",
              "sslcert",
              "sslkey",
              "sslpassword",
              "sslNegotiation",
              "channelBinding",
              "gssEncMode",
              "connectTimeout",
              "socketTimeout",
              "loginTimeout",
              "tcpKeepAlive",
              "ApplicationName",
              "currentSchema"));

  private static final Set<String> CREDENTIALS = Set.of("user", "password", "sslpassword");

  private final String address;
  @Nullable private final String user;
  @Nullable private final Secret password;

  /** What an address says once it has been read. */
  private record Parts(
      String host,
      int port,
      String database,
      Map<String, String> parameters,
      @Nullable String user,
      @Nullable String password) {
    String shown() {
      return "postgresql://" + host + ":" + port + "/" + database;
    }
  }

  /**
   * An address.
   *
   * @param address itself, or a reference to one; only the latter may hold a user and a password
   * @param user a name, or a reference to one
   * @throws IllegalArgumentException when an address that is given itself is wrong; one line that
   *     does not repeat it
   */
  public SqlAddress(String address, @Nullable String user, @Nullable Secret password) {
    this.address = address;
    this.user = user;
    this.password = password;
    if (!isReference(address)) {
      Parts parts = parse(address);
      if (parts.user != null
          || parts.password != null
          || parts.parameters.keySet().stream().anyMatch(CREDENTIALS::contains)) {
        throw new IllegalArgumentException(
            "db_url holds a user or a password; give the whole of it by reference, as env:NAME or"
                + " file:/path, or take the parameters user and password");
      }
    }
  }

  private static boolean isReference(String text) {
    return text.startsWith("env:") || text.startsWith("file:");
  }

  private static String read(String text) {
    return isReference(text) ? Secret.of(text).resolve() : text;
  }

  /**
   * Host, port and database, as reports may have them.
   *
   * @throws IllegalArgumentException when what is referred to is no address
   * @throws io.millrace.config.ConfigException when there is nothing to refer to
   */
  public String shown() {
    return parse(read(address)).shown();
  }

  private static Parts parse(String address) {
    String text = address.startsWith("jdbc:") ? address.substring("jdbc:".length()) : address;
    int colon = text.indexOf(':');
    String scheme = colon < 0 ? "" : text.substring(0, colon);
    String backend = scheme.contains("+") ? scheme.substring(0, scheme.indexOf('+')) : scheme;
    if (!backend.equals("postgresql") && !backend.equals("postgres")) {
      boolean known = Set.of("mysql", "mssql", "oracle", "sqlite", "mariadb").contains(backend);
      throw new IllegalArgumentException(
          "db_url "
              + (known ? "is of " + backend + ", but only" : "must begin with postgresql://; only")
              + " PostgreSQL is read");
    }
    URI uri;
    try {
      uri = new URI("postgresql" + text.substring(colon));
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          "db_url is no address; characters such as @ and / in a password are written as %40, %2F");
    }
    String path = uri.getPath();
    if (uri.getHost() == null || path == null || path.length() < 2) {
      throw new IllegalArgumentException(
          "db_url must name one host and a database: postgresql://HOST:PORT/NAME");
    }
    String userInfo = uri.getRawUserInfo();
    String user = null;
    String password = null;
    if (userInfo != null) {
      int split = userInfo.indexOf(':');
      user = decode(split < 0 ? userInfo : userInfo.substring(0, split));
      password = split < 0 ? null : decode(userInfo.substring(split + 1));
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    if (uri.getRawQuery() != null) {
      for (String pair : uri.getRawQuery().split("&", -1)) {
        int equals = pair.indexOf('=');
        String name = decode(equals < 0 ? pair : pair.substring(0, equals));
        String value = equals < 0 ? "" : decode(pair.substring(equals + 1));
        if (name.equals("user")) {
          user = value;
        } else if (name.equals("password")) {
          password = value;
        } else if (PARAMETERS.contains(name)) {
          parameters.put(name, value);
        } else {
          throw new IllegalArgumentException(
              "db_url has a parameter that is not allowed; these are: "
                  + String.join(", ", PARAMETERS));
        }
      }
    }
    int port = uri.getPort() < 0 ? PORT : uri.getPort();
    return new Parts(uri.getHost(), port, path.substring(1), parameters, user, password);
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("db_url has a % that begins no character");
    }
  }

  /**
   * A connection that only reads, in an open transaction; statements that take longer than so long
   * are ended.
   *
   * @throws IOException in one line when there is none to be had
   */
  Connection connect(Duration timeout) throws IOException {
    Parts parts = parse(read(address));
    requireAllowed(parts.host);
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setServerNames(new String[] {parts.host});
    source.setPortNumbers(new int[] {parts.port});
    source.setDatabaseName(parts.database);
    source.setConnectTimeout(CONNECT_SECONDS);
    source.setApplicationName("millrace");
    source.setReadOnly(true);
    String name = user == null ? parts.user : read(user);
    String secret = password == null ? parts.password : password.resolve();
    Connection connection = null;
    try {
      source.setReadOnlyMode("always");
      for (Map.Entry<String, String> parameter : parts.parameters.entrySet()) {
        source.setProperty(parameter.getKey(), parameter.getValue());
      }
      source.setUser(name);
      source.setPassword(secret);
      connection = source.getConnection();
      prepare(connection, timeout);
      return connection;
    } catch (SQLException | RuntimeException e) {
      IOException failure = new IOException(parts.shown() + " " + refusal(e));
      if (connection != null) {
        close(connection, failure);
      }
      // The cause is left out: a driver's message may hold what it was given.
      throw failure;
    }
  }

  private static void requireAllowed(String host) throws IOException {
    String allowed = System.getProperty(HOSTS_PROPERTY, System.getenv(HOSTS_VARIABLE));
    if (allowed != null && !allowed.isBlank()) {
      if (Arrays.stream(allowed.split(",", -1))
          .map(String::strip)
          .noneMatch(host::equalsIgnoreCase)) {
        throw new IOException(
            String.format(
                "db_url names the host '%s', but %s has %s", host, HOSTS_VARIABLE, allowed));
      }
      return;
    }
    InetAddress[] addresses;
    try {
      addresses = InetAddress.getAllByName(host);
    } catch (UnknownHostException e) {
      throw new IOException("db_url names the host '" + host + "', which has no address", e);
    }
    for (InetAddress one : addresses) {
      if (one.isLinkLocalAddress() || one.isAnyLocalAddress() || one.isMulticastAddress()) {
        throw new IOException(
            String.format(
                "db_url names the host '%s' at %s, which no pipeline may ask",
                host, one.getHostAddress()));
      }
    }
  }

  private static void close(Connection connection, IOException failure) {
    try {
      connection.close();
    } catch (SQLException e) {
      failure.addSuppressed(new IOException("the connection is not closed: " + e.getSQLState()));
    }
  }

  private static void prepare(Connection connection, Duration timeout) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      // The check of queries rests on how backslashes in texts are read.
      statement.execute("SET standard_conforming_strings = on");
      statement.execute("SET statement_timeout = " + timeout.toMillis());
      statement.execute("SET TimeZone = 'UTC'");
    }
    connection.setAutoCommit(false);
  }

  private static String refusal(Exception e) {
    String state = e instanceof SQLException sql ? String.valueOf(sql.getSQLState()) : "";
    if (state.startsWith("28")) {
      return "does not take the user or the password (SQLSTATE " + state + ")";
    } else if (state.equals("3D000")) {
      return "has no such database (SQLSTATE 3D000)";
    } else if (state.startsWith("08")) {
      return "is not reached, or its TLS is not as db_url asks (SQLSTATE " + state + ")";
    }
    return "refuses the connection"
        + (state.isEmpty() ? ": " + e.getClass().getSimpleName() : " (SQLSTATE " + state + ")");
  }
}
