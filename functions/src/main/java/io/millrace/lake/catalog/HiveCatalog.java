package io.millrace.lake.catalog;

import io.trino.hive.thrift.metastore.AddPartitionsRequest;
import io.trino.hive.thrift.metastore.AlreadyExistsException;
import io.trino.hive.thrift.metastore.Database;
import io.trino.hive.thrift.metastore.EnvironmentContext;
import io.trino.hive.thrift.metastore.FieldSchema;
import io.trino.hive.thrift.metastore.InvalidInputException;
import io.trino.hive.thrift.metastore.InvalidObjectException;
import io.trino.hive.thrift.metastore.InvalidOperationException;
import io.trino.hive.thrift.metastore.NoSuchObjectException;
import io.trino.hive.thrift.metastore.Partition;
import io.trino.hive.thrift.metastore.SerDeInfo;
import io.trino.hive.thrift.metastore.StorageDescriptor;
import io.trino.hive.thrift.metastore.Table;
import io.trino.hive.thrift.metastore.ThriftHiveMetastore;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.BiPredicate;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;

/**
 * A Hive Metastore 3 over thrift: external Parquet tables with the partition columns year, month,
 * day and, where a partition is an hour, hour as strings.
 *
 * <p>It connects with the first call, and again after any failure of the connection. A call over a
 * connection that turns out to be broken is made once more over a new one; a call that timed out is
 * not, so a hung metastore costs one timeout.
 */
public final class HiveCatalog implements Catalog {
  /** A metastore holds its table lock, and the client waits, for one batch at a time. */
  private static final int BATCH = 100;

  /** The metastore's own column for comments ends there. */
  private static final int MAX_COMMENT = 255;

  private static final String INPUT_FORMAT =
      "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
  private static final String OUTPUT_FORMAT =
      "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
  private static final String SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

  private final CatalogSpec spec;
  private final List<URI> uris;
  private ThriftHiveMetastore.Client client;
  private volatile TTransport transport;
  private volatile boolean closed;

  public HiveCatalog(CatalogSpec spec) {
    this.spec = spec;
    this.uris =
        List.of(spec.uri().split(",", -1)).stream().map(u -> URI.create(u.strip())).toList();
  }

  @Override
  public void ensureTable(TableSchema schema, String location) throws CatalogException {
    ensureDatabase();
    Optional<Table> found = find(schema);
    if (found.isEmpty()) {
      call(
          "create table " + name(schema),
          c -> {
            try {
              c.createTable(newTable(schema, location));
            } catch (AlreadyExistsException e) {
              return null; // another run was faster; its columns are checked below
            }
            return null;
          });
      found = find(schema);
    }
    Table table = found.orElseThrow(() -> missing(schema));
    checkLayout(schema, location, table);
    addMissingColumns(schema, table);
  }

  private void ensureDatabase() throws CatalogException {
    call(
        "create database " + spec.database(),
        c -> {
          try {
            c.getDatabase(spec.database());
          } catch (NoSuchObjectException missing) {
            Database database = new Database();
            database.setName(spec.database());
            database.setDescription("");
            database.setParameters(new HashMap<>());
            if (!spec.databaseLocation().isEmpty()) {
              database.setLocationUri(spec.databaseLocation());
            }
            try {
              c.createDatabase(database);
            } catch (AlreadyExistsException e) {
              return null; // another run was faster
            }
          }
          return null;
        });
  }

  private void checkLayout(TableSchema schema, String location, Table table)
      throws CatalogException {
    List<String> keys = table.getPartitionKeys().stream().map(FieldSchema::getName).toList();
    List<String> columns = schema.granularity().columns();
    if (!keys.equals(columns)) {
      throw refusal(
          "table " + name(schema) + " is partitioned by " + keys + ", expected " + columns);
    }
    // Partitions are registered below the table's location: another one would hide their files.
    if (!normalised(table.getSd().getLocation()).equals(normalised(location))) {
      throw refusal(
          "table "
              + name(schema)
              + " is at "
              + table.getSd().getLocation()
              + ", but this run writes to "
              + location);
    }
  }

  private void addMissingColumns(TableSchema schema, Table table) throws CatalogException {
    Map<String, String> present = new HashMap<>();
    for (FieldSchema field : table.getSd().getCols()) {
      present.put(field.getName().toLowerCase(Locale.ROOT), field.getType());
    }
    List<FieldSchema> columns = new ArrayList<>(table.getSd().getCols());
    for (Column column : schema.columns()) {
      String type = present.get(column.name().toLowerCase(Locale.ROOT));
      if (type == null) {
        columns.add(field(column));
      } else if (!sameType(type, column.type().hive())) {
        throw refusal(
            "column "
                + column.name()
                + " of table "
                + name(schema)
                + " is "
                + type
                + " in the catalog and "
                + column.type().hive()
                + " in the code; a column's type never changes: add a column of another name");
      }
    }
    if (columns.size() > table.getSd().getColsSize()) {
      table.getSd().setCols(columns);
      // Without it the partitions that exist keep their old columns, and readers miss the new ones.
      Map<String, String> cascade = Map.of("CASCADE", "true");
      call(
          "add columns to table " + name(schema),
          c -> {
            c.alterTableWithEnvironmentContext(
                spec.database(), table.getTableName(), table, new EnvironmentContext(cascade));
            return null;
          });
    }
  }

  @Override
  public void addPartitions(TableSchema schema, Collection<TimePartition> partitions)
      throws CatalogException {
    if (partitions.isEmpty()) {
      return;
    }
    Table table = find(schema).orElseThrow(() -> missing(schema));
    for (List<TimePartition> batch : batches(partitions)) {
      List<Partition> wanted = batch.stream().map(p -> newPartition(table, p)).toList();
      AddPartitionsRequest request =
          new AddPartitionsRequest(spec.database(), table.getTableName(), wanted, true);
      request.setNeedResult(false);
      call(
          "add " + wanted.size() + " partitions to table " + name(schema),
          c -> c.addPartitionsReq(request));
    }
  }

  @Override
  public void setProperties(
      TableSchema schema, Map<TimePartition, ? extends Map<String, String>> properties)
      throws CatalogException {
    alter(
        "set properties of",
        schema,
        properties.keySet(),
        (partition, registered) -> merge(properties.get(partition), registered));
  }

  @Override
  public void place(TableSchema schema, Map<TimePartition, Placement> placements)
      throws CatalogException {
    alter(
        "place",
        schema,
        placements.keySet(),
        (partition, registered) -> {
          Placement placement = placements.get(partition);
          boolean changed = merge(placement.properties(), registered);
          if (normalised(registered.getSd().getLocation())
              .equals(normalised(placement.location()))) {
            return changed;
          }
          registered.getSd().setLocation(placement.location());
          return true;
        });
  }

  /** Adds the wanted properties; whether that changes anything. */
  private static boolean merge(Map<String, String> wanted, Partition registered) {
    Map<String, String> merged =
        registered.getParameters() == null
            ? new HashMap<>()
            : new HashMap<>(registered.getParameters());
    merged.putAll(wanted);
    if (merged.equals(registered.getParameters())) {
      return false;
    }
    registered.setParameters(merged);
    return true;
  }

  /**
   * Changes what the metastore holds of partitions, those that the change leaves alone excepted.
   */
  private void alter(
      String what,
      TableSchema schema,
      Collection<TimePartition> partitions,
      BiPredicate<TimePartition, Partition> change)
      throws CatalogException {
    EnvironmentContext context = new EnvironmentContext(Map.of("DO_NOT_UPDATE_STATS", "true"));
    for (List<TimePartition> batch : batches(partitions)) {
      List<Partition> found = fetch(schema, batch.stream().map(TimePartition::path).toList());
      List<Partition> changed =
          found.stream().filter(p -> change.test(parse(schema, p), p)).toList();
      if (!changed.isEmpty()) {
        call(
            what + " " + changed.size() + " partitions of table " + name(schema),
            c -> {
              c.alterPartitionsWithEnvironmentContext(
                  spec.database(), lower(schema.name()), changed, context);
              return null;
            });
      }
      if (found.size() < batch.size()) {
        throw new CatalogException(
            (batch.size() - found.size())
                + " of "
                + batch.size()
                + " partitions of table "
                + name(schema)
                + " are not registered, the first asked for is "
                + batch.get(0).path(),
            true,
            null);
      }
    }
  }

  @Override
  public Collection<RegisteredPartition> partitions(
      TableSchema schema, Collection<TimePartition> partitions) throws CatalogException {
    return named(schema, partitions.stream().map(TimePartition::path).toList());
  }

  @Override
  public Optional<RegisteredPartition> partition(TableSchema schema, TimePartition partition)
      throws CatalogException {
    return fetch(schema, List.of(partition.path())).stream()
        .findFirst()
        .map(p -> registered(schema, p));
  }

  @Override
  public Collection<RegisteredPartition> partitions(TableSchema schema) throws CatalogException {
    List<String> names =
        call(
            "list partitions of table " + name(schema),
            c -> {
              try {
                return c.getPartitionNames(spec.database(), lower(schema.name()), (short) -1);
              } catch (NoSuchObjectException e) {
                return List.of();
              }
            });
    return named(schema, names);
  }

  private List<RegisteredPartition> named(TableSchema schema, List<String> names)
      throws CatalogException {
    List<RegisteredPartition> all = new ArrayList<>();
    for (List<String> batch : batches(names)) {
      fetch(schema, batch).forEach(p -> all.add(registered(schema, p)));
    }
    all.sort(Comparator.comparingLong(r -> r.partition().start()));
    return all;
  }

  @Override
  public void close() {
    closed = true;
    TTransport open = transport;
    if (open != null) {
      open.close();
    }
  }

  private Optional<Table> find(TableSchema schema) throws CatalogException {
    return call(
        "read table " + name(schema),
        c -> {
          try {
            return Optional.of(c.getTable(spec.database(), lower(schema.name())));
          } catch (NoSuchObjectException e) {
            return Optional.empty();
          }
        });
  }

  private List<Partition> fetch(TableSchema schema, List<String> names) throws CatalogException {
    return call(
        "read " + names.size() + " partitions of table " + name(schema),
        c -> {
          try {
            return c.getPartitionsByNames(spec.database(), lower(schema.name()), names);
          } catch (NoSuchObjectException e) {
            return List.of();
          }
        });
  }

  private static RegisteredPartition registered(TableSchema schema, Partition partition) {
    return new RegisteredPartition(
        parse(schema, partition),
        partition.getSd().getLocation(),
        partition.getParameters() == null ? Map.of() : Map.copyOf(partition.getParameters()));
  }

  private static TimePartition parse(TableSchema schema, Partition partition) {
    List<String> columns = schema.granularity().columns();
    StringJoiner path = new StringJoiner("/");
    for (int i = 0; i < partition.getValuesSize(); i++) {
      String column = i < columns.size() ? columns.get(i) : "?";
      path.add(column + "=" + partition.getValues().get(i));
    }
    return TimePartition.parse(path.toString(), schema.granularity());
  }

  private Table newTable(TableSchema schema, String location) {
    StorageDescriptor storage = new StorageDescriptor();
    storage.setCols(schema.columns().stream().map(HiveCatalog::field).toList());
    storage.setLocation(location);
    storage.setInputFormat(INPUT_FORMAT);
    storage.setOutputFormat(OUTPUT_FORMAT);
    storage.setSerdeInfo(
        new SerDeInfo(schema.name(), SERDE, new HashMap<>(Map.of("serialization.format", "1"))));
    storage.setNumBuckets(-1);
    storage.setBucketCols(List.of());
    storage.setSortCols(List.of());
    storage.setParameters(new HashMap<>());

    Table table = new Table();
    table.setDbName(spec.database());
    table.setTableName(lower(schema.name()));
    table.setOwner("millrace");
    table.setTableType("EXTERNAL_TABLE");
    table.setCreateTime((int) (System.currentTimeMillis() / 1000));
    table.setSd(storage);
    table.setPartitionKeys(
        schema.granularity().columns().stream()
            .map(key -> new FieldSchema(key, "string", "UTC, zero-padded"))
            .toList());
    Map<String, String> parameters = new LinkedHashMap<>();
    parameters.put("EXTERNAL", "TRUE");
    parameters.put("comment", schema.doc());
    table.setParameters(parameters);
    return table;
  }

  private static Partition newPartition(Table table, TimePartition partition) {
    StorageDescriptor storage = new StorageDescriptor(table.getSd());
    storage.setLocation(stripped(table.getSd().getLocation()) + "/" + partition.path());
    Partition wanted = new Partition();
    wanted.setDbName(table.getDbName());
    wanted.setTableName(table.getTableName());
    wanted.setValues(partition.values());
    wanted.setCreateTime((int) (System.currentTimeMillis() / 1000));
    wanted.setSd(storage);
    wanted.setParameters(new HashMap<>());
    return wanted;
  }

  private static FieldSchema field(Column column) {
    String doc = column.doc();
    return new FieldSchema(
        lower(column.name()),
        column.type().hive(),
        doc.length() <= MAX_COMMENT ? doc : doc.substring(0, MAX_COMMENT));
  }

  private static boolean sameType(String inCatalog, String inCode) {
    return lower(inCatalog).replace(" ", "").equals(lower(inCode));
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  private static String stripped(String location) {
    int end = location.length();
    while (end > 1 && location.charAt(end - 1) == '/') {
      end--;
    }
    return location.substring(0, end);
  }

  /** The same folder has several names: s3 and s3a, file:/x, file:///x and /x. */
  static String normalised(String location) {
    String s = stripped(location);
    s = s.replaceFirst("^s3[an]://", "s3://");
    s = s.replaceFirst("^file:/+", "/");
    return s;
  }

  private static <T> List<List<T>> batches(Collection<T> all) {
    List<T> list = List.copyOf(all);
    List<List<T>> batches = new ArrayList<>();
    for (int from = 0; from < list.size(); from += BATCH) {
      batches.add(list.subList(from, Math.min(from + BATCH, list.size())));
    }
    return batches;
  }

  private String name(TableSchema schema) {
    return spec.database() + "." + schema.name();
  }

  private CatalogException missing(TableSchema schema) {
    return new CatalogException("table " + name(schema) + " is not in the catalog", true, null);
  }

  private static CatalogException refusal(String message) {
    return new CatalogException(message, false, null);
  }

  private interface Call<T> {
    T on(ThriftHiveMetastore.Client client) throws TException;
  }

  private <T> T call(String what, Call<T> call) throws CatalogException {
    boolean reused = client != null;
    try {
      return call.on(client());
    } catch (TTransportException e) {
      disconnect();
      if (reused && !closed && e.getType() != TTransportException.TIMED_OUT) {
        return call(what, call);
      }
      throw failed(what, e, true);
    } catch (TProtocolException | TApplicationException e) {
      disconnect();
      throw failed(what, e, true);
    } catch (InvalidObjectException | InvalidOperationException | InvalidInputException e) {
      throw failed(what, e, false);
    } catch (TException e) {
      // MetaException is what the metastore makes of trouble with its own database.
      throw failed(what, e, true);
    }
  }

  private CatalogException failed(String what, TException e, boolean retryable) {
    String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return new CatalogException(
        "cannot " + what + " (" + spec.uri() + "): " + reason, retryable, e);
  }

  private ThriftHiveMetastore.Client client() throws TTransportException {
    if (client == null) {
      TTransportException last = null;
      for (URI uri : uris) {
        TSocket socket =
            new TSocket(
                TConfiguration.DEFAULT,
                uri.getHost(),
                uri.getPort(),
                Math.toIntExact(spec.callTimeout().toMillis()),
                Math.toIntExact(spec.connectTimeout().toMillis()));
        transport = socket;
        try {
          socket.open();
          if (closed) {
            throw new TTransportException(TTransportException.NOT_OPEN, "the catalog is closed");
          }
          client = new ThriftHiveMetastore.Client(new TBinaryProtocol(socket));
          return client;
        } catch (TTransportException e) {
          socket.close();
          last = e;
        }
      }
      throw last;
    }
    return client;
  }

  private void disconnect() {
    client = null;
    TTransport broken = transport;
    transport = null;
    if (broken != null) {
      broken.close();
    }
  }
}
