package io.millrace.lake.catalog;

import java.time.Duration;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Which catalog a run registers its tables in, and how it is reached.
 *
 * @param uri of a metastore, as {@code thrift://host:9083}; several, by comma, are tried in turn;
 *     empty without a catalog
 * @param database that holds the tables; created where it is missing
 * @param databaseLocation folder of a database that is created; empty for the catalog's own choice
 * @param connectTimeout how long to wait for a connection
 * @param callTimeout how long to wait for an answer; adding partitions to a slow metastore needs a
 *     minute
 */
public record CatalogSpec(
    Kind kind,
    String uri,
    String database,
    String databaseLocation,
    Duration connectTimeout,
    Duration callTimeout)
    implements CatalogFactory {

  /** How long a connection may take, unless told otherwise. */
  public static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** How long a call may take, unless told otherwise. */
  public static final Duration CALL_TIMEOUT = Duration.ofSeconds(60);

  private static final Pattern THRIFT_URI = Pattern.compile("thrift://[^:/,\\s]+:\\d{1,5}");

  /** The catalogs there are. */
  public enum Kind {
    /** No catalog: readers go by path. */
    NONE,
    /** A Hive Metastore, over thrift. */
    HIVE
  }

  public CatalogSpec {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(uri, "uri");
    Objects.requireNonNull(database, "database");
    Objects.requireNonNull(databaseLocation, "databaseLocation");
    if (kind == Kind.HIVE) {
      for (String one : uri.split(",", -1)) {
        if (!THRIFT_URI.matcher(one.strip()).matches()) {
          throw new IllegalArgumentException(
              "not a metastore URI: '" + one + "', expected thrift://HOST:PORT");
        }
      }
      if (database.isBlank()) {
        throw new IllegalArgumentException("a hive catalog needs a database");
      }
      requirePositive(connectTimeout, "connectTimeout");
      requirePositive(callTimeout, "callTimeout");
    }
  }

  private static void requirePositive(Duration timeout, String name) {
    if (timeout.toMillis() <= 0) {
      throw new IllegalArgumentException(name + " must be at least 1 ms, was " + timeout);
    }
  }

  /** No catalog. */
  public static CatalogSpec none() {
    return new CatalogSpec(Kind.NONE, "", "", "", CONNECT_TIMEOUT, CALL_TIMEOUT);
  }

  /** A Hive Metastore with the usual timeouts. */
  public static CatalogSpec hive(String uri, String database) {
    return new CatalogSpec(Kind.HIVE, uri, database, "", CONNECT_TIMEOUT, CALL_TIMEOUT);
  }

  /** The same, with a folder for a database that has to be created. */
  public CatalogSpec withDatabaseLocation(String location) {
    return new CatalogSpec(kind, uri, database, location, connectTimeout, callTimeout);
  }

  /** The same, with other timeouts. */
  public CatalogSpec withTimeouts(Duration connect, Duration call) {
    return new CatalogSpec(kind, uri, database, databaseLocation, connect, call);
  }

  @Override
  public Catalog open() {
    return switch (kind) {
      case NONE -> new NoCatalog();
      case HIVE -> new HiveCatalog(this);
    };
  }
}
