package io.millrace.local;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.parquet.AnomalyTable;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.CrossCheckTable;
import io.millrace.lake.parquet.DeadLetterTable;
import io.millrace.lake.parquet.LedgerTable;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.parquet.RollupTable;
import io.millrace.lake.parquet.SessionTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The lake's tables in an embedded DuckDB, an engine that shares no code with the writers. Which
 * folders belong to a table is asked of the catalog, where there is one.
 */
public final class LakeReader implements AutoCloseable {
  /** The tables of the engagement job. */
  public static final List<TableSchema> TABLES =
      List.of(
          new AppEventTable().schema(),
          new RawEventTable().schema(),
          new DeadLetterTable().schema(),
          new LedgerTable().schema(),
          SessionTable.SCHEMA,
          RollupTable.HOURLY,
          RollupTable.DAILY,
          CrossCheckTable.SCHEMA,
          AnomalyTable.SCHEMA);

  /** By class, because a sum of longs, a HUGEINT, has no SQL type of its own. */
  private static final Set<String> NUMBERS =
      Stream.of(Integer.class, Long.class, Double.class, BigInteger.class, BigDecimal.class)
          .map(Class::getName)
          .collect(Collectors.toUnmodifiableSet());

  private final Connection duckdb;

  /**
   * The rows of a query, as text, under the names of its columns.
   *
   * @param numbers the columns whose type is one of numbers
   */
  public record Rows(List<String> columns, List<List<String>> rows, Set<String> numbers) {
    public Rows(List<String> columns, List<List<String>> rows) {
      this(columns, rows, Set.of());
    }
  }

  private LakeReader() throws SQLException {
    this.duckdb = DriverManager.getConnection("jdbc:duckdb:");
    try (Statement sql = duckdb.createStatement()) {
      sql.execute("SET TimeZone = 'UTC'");
    }
  }

  /**
   * Reads the partitions that the catalog has.
   *
   * @param toFolder a partition's location in the catalog, as a local folder
   */
  public static LakeReader ofCatalog(Catalog catalog, Function<String, Path> toFolder) {
    return open(
        table -> {
          try {
            return catalog.partitions(table).stream()
                .map(RegisteredPartition::location)
                .map(toFolder)
                .toList();
          } catch (CatalogException e) {
            throw new IllegalStateException("the catalog cannot list " + table.name(), e);
          }
        });
  }

  /** Reads the partitions that are there, below a local root. */
  public static LakeReader ofFolder(Path root) {
    return open(
        table -> {
          Path folder = root.resolve(table.path());
          if (!Files.isDirectory(folder)) {
            return List.of();
          }
          List<String> columns = table.granularity().columns();
          String innermost = columns.get(columns.size() - 1) + "=";
          try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(p -> p.getFileName().toString().startsWith(innermost)).toList();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private static LakeReader open(Function<TableSchema, List<Path>> foldersOf) {
    try {
      LakeReader reader = new LakeReader();
      for (TableSchema table : TABLES) {
        reader.createView(table, foldersOf.apply(table));
      }
      try (Statement sql = reader.duckdb.createStatement()) {
        sql.execute(Files.readString(BuildFiles.sql("ddl/ledger_totals.sql")));
        sql.execute(Files.readString(BuildFiles.sql("ddl/hll.sql")));
      }
      return reader;
    } catch (SQLException | IOException e) {
      throw new IllegalStateException("DuckDB cannot open the lake: " + e.getMessage(), e);
    }
  }

  private void createView(TableSchema table, List<Path> folders) throws SQLException {
    List<String> files = new ArrayList<>();
    for (Path folder : folders) {
      // A partition whose every row is gone by a backfill has a folder without a file.
      if (!hasFile(folder)) {
        continue;
      }
      // Only committed files have the plain name; what is in progress is hidden by a dot.
      files.add("'" + folder.resolve("part-*.parquet").toString().replace("'", "''") + "'");
    }
    try (Statement sql = duckdb.createStatement()) {
      sql.execute(
          files.isEmpty()
              ? "CREATE TABLE " + table.name() + " (" + columns(table) + ")"
              : "CREATE VIEW "
                  + table.name()
                  + " AS SELECT * FROM read_parquet(["
                  + String.join(", ", files)
                  + "], hive_partitioning = true, hive_types_autocast = false,"
                  + " union_by_name = true)");
    }
  }

  private static boolean hasFile(Path folder) {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "part-*.parquet")) {
      return files.iterator().hasNext();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String columns(TableSchema table) {
    List<String> columns = new ArrayList<>();
    for (Column c : table.columns()) {
      columns.add('"' + c.name() + "\" " + duckType(c.type()));
    }
    for (String partition : table.granularity().columns()) {
      columns.add(partition + " VARCHAR");
    }
    return String.join(", ", columns);
  }

  private static String duckType(LakeType type) {
    List<Column> children = type.children();
    return switch (type.kind()) {
      case STRING -> "VARCHAR";
      case LONG -> "BIGINT";
      case INT -> "INTEGER";
      case DOUBLE -> "DOUBLE";
      case BOOLEAN -> "BOOLEAN";
      case TIMESTAMP -> "TIMESTAMPTZ";
      case BINARY -> "BLOB";
      case MAP ->
          "MAP(" + duckType(children.get(0).type()) + ", " + duckType(children.get(1).type()) + ")";
      case ARRAY -> duckType(children.get(0).type()) + "[]";
      case STRUCT ->
          children.stream()
              .map(c -> c.name() + " " + duckType(c.type()))
              .collect(Collectors.joining(", ", "STRUCT(", ")"));
    };
  }

  /** Runs a query. */
  public Rows query(String query) {
    try (Statement sql = duckdb.createStatement();
        ResultSet result = sql.executeQuery(query)) {
      ResultSetMetaData meta = result.getMetaData();
      List<String> names = new ArrayList<>();
      Set<String> numbers = new HashSet<>();
      for (int i = 1; i <= meta.getColumnCount(); i++) {
        names.add(meta.getColumnName(i));
        if (NUMBERS.contains(meta.getColumnClassName(i))) {
          numbers.add(meta.getColumnName(i));
        }
      }
      List<List<String>> rows = new ArrayList<>();
      while (result.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= names.size(); i++) {
          row.add(result.getString(i));
        }
        rows.add(row);
      }
      return new Rows(names, rows, numbers);
    } catch (SQLException e) {
      throw new IllegalStateException(e.getMessage() + "\nin: " + query, e);
    }
  }

  /** Runs statements that add tables, views or macros beside the lake's. */
  void define(String statements) {
    try (Statement sql = duckdb.createStatement()) {
      sql.execute(statements);
    } catch (SQLException e) {
      throw new IllegalStateException(e.getMessage() + "\nin: " + statements, e);
    }
  }

  /** A query's only number. */
  public long number(String query) {
    String text = query(query).rows().get(0).get(0);
    return text == null ? 0 : Long.parseLong(text);
  }

  @Override
  public void close() {
    try {
      duckdb.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
