package io.millrace.transform.connector;

import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.parquet.EventTimeBucket;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.publish.LakeSink;
import io.millrace.lake.publish.PublishSettings;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.apache.flink.core.fs.Path;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.utils.TypeConversions;

/** {@code load_lake}: a partitioned Parquet table, as the engagement job writes its own. */
public final class LoadLake implements Transform {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,127}");
  private static final Pattern URI = Pattern.compile("[a-z][a-z0-9+.-]+:/.+");
  private static final String NAME_RULE =
      "lower-case letters, digits and underscores, a letter first";

  private static final Declaration DECLARATION =
      new Declaration(
          "load_lake",
          Kind.LOAD,
          Inputs.ONE,
          "Writes a table of the lake: Parquet files in partitions by event time, registered in a"
              + " Hive Metastore, each row once.",
          List.of(
              Parameter.text("root")
                  .require()
                  .doc(
                      "The lake's root: a URI such as s3://lake, or a folder relative to the data"
                          + " root."),
              Parameter.text("table")
                  .require()
                  .doc(
                      "The table's name. Files go to ROOT/processed/TABLE, and one pipeline at a"
                          + " time writes them."),
              Parameter.column("time")
                  .doc(
                      "The column that tells a row's partition, TIMESTAMP(3) or TIMESTAMP_LTZ(3),"
                          + " in UTC; the event time unless given."),
              Parameter.text("partition")
                  .oneOf("hour", "day")
                  .defaultTo("hour")
                  .doc("year=/month=/day=/hour=, or without the hour."),
              Parameter.duration("complete_after")
                  .defaultTo("10 min")
                  .doc(
                      "How far the event time has to be past a partition's end, before it gets its"
                          + " _SUCCESS file."),
              Parameter.text("catalog_uri")
                  .doc("thrift://HOST:PORT of a Hive Metastore; not registered unless given."),
              Parameter.text("database")
                  .defaultTo("millrace")
                  .doc("The table's database in the catalog; created where it is missing.")),
          List.of(
              """
              pipeline:
                name: archive
                steps:
                  - id: read
                    service: extract_kafka
                    params:
                      topic: readings
                      bootstrap_servers: localhost:9092
                      columns: {station: STRING, at: TIMESTAMP_LTZ(3), temperature: DOUBLE}
                      time: at
                  - id: save
                    service: load_lake
                    params: {root: lake, table: readings}
                    depends_on: [read]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    Rows rows = inputs.get(0);
    Optional<String> time = time(step, rows);
    String root = root(step);
    TableSchema schema = schema(step, rows);
    CatalogSpec catalog = root == null ? null : catalog(step, root);
    if (time.isEmpty() || root == null || schema == null || catalog == null) {
      return null;
    }
    RowType type = (RowType) visible(rows).getLogicalType();
    RowTable table = new RowTable(schema, type, rows.columns().indexOf(time.get()));
    Lineage lineage = new Lineage(step.site().pipeline(), version(), step.site().runId());
    LakeSink<RowData> sink =
        LakeSink.builder(
                schema,
                new Path(new Path(root), schema.path()),
                new ParquetRowWriter.Factory<>(table, lineage, ParquetOptions.DEFAULT),
                new EventTimeBucket<>(table),
                ParquetFooter::rows)
            .catalog(catalog)
            .publishing(PublishSettings.completeAfter(step.arguments().duration("complete_after")))
            .build();
    String uid = step.id() + ":write";
    String columns = String.join(", ", rows.columns().stream().map(Rows::quote).toList());
    Table selected = step.tables().sqlQuery("SELECT " + columns + " FROM " + rows.table());
    step.tables().<RowData>toDataStream(selected, visible(rows)).sinkTo(sink).uid(uid).name(uid);
    step.fact("table", schema.name());
    step.fact("location", new Path(new Path(root), schema.path()).toString());
    return null;
  }

  /** The visible columns, the event time as a plain time. */
  private static DataType visible(Rows rows) {
    List<DataTypes.Field> fields = new ArrayList<>();
    for (String column : rows.columns()) {
      LogicalType type = EventTime.plain(rows.type(column).getLogicalType());
      fields.add(DataTypes.FIELD(column, TypeConversions.fromLogicalToDataType(type)));
    }
    return DataTypes.ROW(fields).notNull().bridgedTo(RowData.class);
  }

  private static Optional<String> time(Step step, Rows rows) {
    Optional<String> time = step.arguments().optionalText("time");
    if (time.isEmpty()) {
      time = EventTime.column(rows);
      if (time.isEmpty()) {
        step.error("time", "time is missing, and the input has no event time to take instead");
      }
      return time;
    }
    if (!ColumnTexts.areThere(step, "time", List.of(time.get()), rows)) {
      return Optional.empty();
    }
    LogicalType type = rows.type(time.get()).getLogicalType();
    boolean fits =
        switch (type.getTypeRoot()) {
          case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> true;
          default -> false;
        };
    if (!fits) {
      step.error(
          "time",
          "time is '"
              + time.get()
              + "' of type "
              + ColumnKind.name(type)
              + ", but must be TIMESTAMP(3) or TIMESTAMP_LTZ(3)");
      return Optional.empty();
    }
    return time;
  }

  /** The lake's root as a URI; null when a problem was reported. */
  @Nullable
  private static String root(Step step) {
    String root = step.arguments().text("root").replaceAll("(?<=.)/+$", "");
    if (root.startsWith("file:")) {
      step.error(
          "root", "root is '" + root + "', but a local folder is given relative to the data root");
      return null;
    }
    if (URI.matcher(root).matches()) {
      return root;
    }
    try {
      // Without a slash at the end, which a folder that is there would have.
      return step.site().files().resolve(root).toUri().toString().replaceAll("/+$", "");
    } catch (IllegalArgumentException e) {
      step.error("root", "root is " + e.getMessage());
      return null;
    }
  }

  @Nullable
  private static TableSchema schema(Step step, Rows rows) {
    String name = step.arguments().text("table");
    if (!isName(step, "table", "table is '" + name + "'", name)) {
      return null;
    }
    Granularity granularity =
        Granularity.valueOf(step.arguments().text("partition").toUpperCase(Locale.ROOT));
    boolean fits = true;
    for (String column : rows.columns()) {
      fits &= isName(step, null, "the input has a column '" + column + "'", column);
      if (granularity.columns().contains(column)) {
        step.error(
            null,
            "the input has a column '" + column + "', as a partition column is called; rename it");
        fits = false;
      }
    }
    List<String> unknown = new ArrayList<>();
    List<Column> columns = RowTable.columns((RowType) visible(rows).getLogicalType(), unknown);
    for (String column : unknown) {
      step.error(
          null,
          "the input has a column "
              + column
              + ", but a lake's are STRING, INT, BIGINT, DOUBLE, BOOLEAN, BYTES, TIMESTAMP(3) and"
              + " TIMESTAMP_LTZ(3); cast it before");
    }
    return fits && unknown.isEmpty()
        ? new TableSchema(
            name,
            "processed/" + name,
            columns,
            "Written by step " + step.id() + " of the pipeline " + step.site().pipeline() + ".",
            granularity)
        : null;
  }

  private static boolean isName(Step step, @Nullable String key, String what, String name) {
    boolean fits = NAME.matcher(name).matches();
    if (!fits) {
      step.error(key, what + ", but names in a lake are " + NAME_RULE);
    }
    return fits;
  }

  @Nullable
  private static CatalogSpec catalog(Step step, String root) {
    Optional<String> uri = step.arguments().optionalText("catalog_uri");
    if (uri.isEmpty()) {
      return CatalogSpec.none();
    }
    String database = step.arguments().text("database");
    if (!isName(step, "database", "database is '" + database + "'", database)) {
      return null;
    }
    try {
      return CatalogSpec.hive(uri.get(), database).withDatabaseLocation(root + "/");
    } catch (IllegalArgumentException e) {
      step.error(
          "catalog_uri", "catalog_uri is '" + uri.get() + "', but must be thrift://HOST:PORT");
      return null;
    }
  }

  /** That of the build, which the jar of the jobs knows. */
  private static String version() {
    try (InputStream in = LoadLake.class.getResourceAsStream("/io/millrace/job/build.properties")) {
      Properties build = new Properties();
      if (in != null) {
        build.load(in);
      }
      return build.getProperty("version", "unknown");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the build's properties", e);
    }
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return outcome.facts();
  }
}
