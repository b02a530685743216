package io.millrace.transform.connector;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.file.FileKind;
import io.millrace.transform.file.WriteFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** Writes its input to one file in the rows' order, or to a folder of part files in any order. */
public final class LoadData implements Transform {
  private static final int MAX_FILES = 1024;

  private static final Declaration DECLARATION =
      new Declaration(
          "load_data",
          Kind.LOAD,
          Inputs.ONE,
          "Writes a file, which appears whole when the pipeline has ended well.",
          List.of(
              Parameter.text("format")
                  .require()
                  .doc(
                      "csv, json, parquet, xlsx or arrow; upper or lower case. xls is taken for"
                          + " xlsx."),
              Parameter.text("path")
                  .doc(
                      "The file, or the folder when there are several, relative to the data root;"
                          + " PIPELINE/processed/STEP.EXT unless given. It is replaced."),
              Parameter.integer("files")
                  .defaultTo(1)
                  .between(1, MAX_FILES)
                  .doc(
                      "1 keeps the order of rows. More makes a folder of so many files, written in"
                          + " parallel, with rows in any order."),
              Parameter.bool("lines")
                  .defaultTo(false)
                  .doc("json only: one object per line instead of one array."),
              Parameter.text("compression")
                  .oneOf("snappy", "zstd", "gzip", "lz4", "none")
                  .doc(
                      "parquet: snappy unless given, zstd, gzip or none; arrow: none unless given,"
                          + " zstd or lz4.")),
          List.of(
              """
              pipeline:
                name: orders
                steps:
                  - id: read
                    service: extract_csv
                    params: {file_path: orders.csv}
                  - id: save
                    service: load_data
                    params: {format: parquet}
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
    FileKind kind = kind(step);
    if (kind == null) {
      return null;
    }
    if (!step.bounded()) {
      step.error(
          null,
          "load_data writes what ends; for an endless input there are load_kafka and load_lake");
      return null;
    }
    RowType rowType = visible(rows);
    String refusal = kind.refuses(rowType);
    if (refusal != null) {
      step.error("format", refusal);
      return null;
    }
    String compression = compression(step, kind);
    if (compression == null) {
      return null;
    }
    int files = (int) step.arguments().integer("files");
    Path target = target(step, kind, files);
    if (target == null) {
      return null;
    }
    Path temporary = step.temporary(target);
    DataStream<RowData> stream = files == 1 ? inOrder(step, rows) : spread(step, rows);
    String uid = step.id() + ":write";
    stream
        .sinkTo(
            new WriteFiles(
                temporary,
                kind.extension(),
                files > 1,
                kind.files(
                    rowType, new FileKind.Options(step.arguments().bool("lines"), compression))))
        .uid(uid)
        .name(uid)
        .setParallelism(files);
    step.publish(temporary, target);
    step.fact("format", kind.extension());
    step.fact("output_file", target.toString());
    return null;
  }

  @Nullable
  private static FileKind kind(Step step) {
    String format = step.arguments().text("format");
    String lower = format.toLowerCase(Locale.ROOT);
    String wanted = lower.equals("xls") ? FileKind.XLSX.extension() : lower;
    List<String> known = new ArrayList<>();
    for (FileKind kind : FileKind.values()) {
      if (kind.extension().equals(wanted)) {
        return kind;
      }
      known.add(kind.extension());
    }
    step.error(
        "format", "format is '" + format + "', but must be one of " + String.join(", ", known));
    return null;
  }

  /** Null when a problem was reported; empty when the kind has no compression. */
  @Nullable
  private static String compression(Step step, FileKind kind) {
    List<String> known = kind.compressions();
    String usual = known.isEmpty() ? "" : known.get(0);
    String compression = step.arguments().optionalText("compression").orElse(usual);
    if (!compression.equals(usual) && !known.contains(compression)) {
      step.error(
          "compression",
          "compression is '"
              + compression
              + "', but "
              + kind.extension()
              + (known.isEmpty() ? " has none" : " can have " + String.join(", ", known)));
      return null;
    }
    return compression;
  }

  @Nullable
  private static Path target(Step step, FileKind kind, int files) {
    if (!step.arguments().has("path")) {
      Path file = step.defaultOutput(kind.extension());
      Path usual = files == 1 ? file : file.resolveSibling(step.id());
      return files > 1 && !mayReplace(step, usual, usual.toString()) ? null : usual;
    }
    String path = step.arguments().text("path");
    Path target;
    try {
      target = step.site().files().resolve(path);
    } catch (IllegalArgumentException e) {
      step.error("path", e.getMessage());
      return null;
    }
    if (target.equals(step.site().files().root())) {
      step.error("path", "path is '" + path + "', which is the data root itself");
      return null;
    }
    if (files == 1 && Files.isDirectory(target)) {
      step.error("path", "path is '" + path + "', which is a folder; one file is to be written");
      return null;
    }
    if (files > 1 && Files.isRegularFile(target)) {
      step.error("path", "path is '" + path + "', which is a file; a folder is to be written");
      return null;
    }
    return files > 1 && !mayReplace(step, target, path) ? null : target;
  }

  /** A folder is replaced as a whole, so it must hold nothing but what load_data writes. */
  private static boolean mayReplace(Step step, Path folder, String written) {
    if (!Files.isDirectory(folder)) {
      return true;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      Optional<String> other =
          entries
              .map(entry -> entry.getFileName().toString())
              .filter(name -> !name.matches("part-\\d{5}\\.\\w+"))
              .sorted()
              .findFirst();
      other.ifPresent(
          name ->
              step.error(
                  "path",
                  "path is '"
                      + written
                      + "', which would be replaced, but has '"
                      + name
                      + "', which load_data has not written"));
      return other.isEmpty();
    } catch (IOException e) {
      step.error("path", "path is '" + written + "', which cannot be listed: " + e.getMessage());
      return false;
    }
  }

  private static RowType visible(Rows rows) {
    List<RowType.RowField> fields = new ArrayList<>();
    for (String column : rows.columns()) {
      LogicalType type = rows.type(column).getLogicalType();
      fields.add(new RowType.RowField(column, type));
    }
    return new RowType(false, fields);
  }

  private static DataStream<RowData> inOrder(Step step, Rows rows) {
    Table table = rows.table();
    if (!rows.order().isEmpty()) {
      String columns = String.join(", ", rows.all().stream().map(Rows::quote).toList());
      table =
          step.tables()
              .sqlQuery("SELECT " + columns + " FROM " + table + " ORDER BY " + rows.orderBy(true));
    }
    return internal(step, table);
  }

  private static DataStream<RowData> spread(Step step, Rows rows) {
    return internal(step, rows.table()).rebalance();
  }

  /** The visible columns come first in each row. */
  private static DataStream<RowData> internal(Step step, Table table) {
    List<DataTypes.Field> fields = new ArrayList<>();
    for (Column column : table.getResolvedSchema().getColumns()) {
      fields.add(DataTypes.FIELD(column.getName(), column.getDataType()));
    }
    DataType type = DataTypes.ROW(fields).notNull().bridgedTo(RowData.class);
    return step.tables().toDataStream(table, type);
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return outcome.facts();
  }
}
