package io.millrace.transform.connector;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.file.CsvDialect;
import io.millrace.transform.file.CsvInference;
import io.millrace.transform.file.CsvRows;
import io.millrace.transform.file.InputFiles;
import io.millrace.transform.file.NullTokens;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;

/** Reads delimited files as pandas' {@code read_csv} does, except that nulls change no type. */
public final class ExtractCsv implements Transform {
  private static final Declaration DECLARATION =
      new Declaration(
          "extract_csv",
          Kind.EXTRACT,
          Inputs.NONE,
          "Reads delimited files with a header; types are found by reading them whole.",
          List.of(
              Parameter.text("file_path")
                  .require()
                  .doc(
                      "A file, a folder (its *.csv, *.tsv and *.txt) or a glob, relative to the data"
                          + " root. Names ending in .gz are decompressed."),
              Parameter.text("separator").defaultTo(",").doc("One character; \\t is a tab."),
              Parameter.text("encoding").defaultTo("utf-8").doc("A charset."),
              Parameter.text("quote").defaultTo("\"").doc("One character."),
              Parameter.object("columns")
                  .doc(
                      "Types by column, which are then not found but taken: BOOLEAN, INT, BIGINT,"
                          + " DOUBLE, DECIMAL(p, s), STRING, DATE, TIMESTAMP(3). With all columns"
                          + " named the files are read once only."),
              Parameter.texts("null_values")
                  .doc("The texts that mean null, instead of those of pandas.")),
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
                    params: {format: csv}
                    depends_on: [read]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    CsvDialect dialect = dialect(step);
    Map<String, LogicalType> declared = declared(step);
    if (dialect == null || declared == null) {
      return null;
    }
    CsvInference.Columns columns;
    List<Path> files;
    try {
      files =
          InputFiles.find(
              step.arguments().text("file_path"),
              path -> step.site().files().resolve(path.toString()),
              List.of(".csv", ".tsv", ".txt"));
      columns = CsvInference.read(files, dialect, declared);
    } catch (IllegalArgumentException | IOException e) {
      step.error("file_path", e.getMessage());
      return null;
    }
    for (String column : declared.keySet()) {
      if (!columns.names().contains(column)) {
        step.error(
            "columns",
            "columns names '"
                + column
                + "', but the file has only "
                + String.join(", ", columns.names()));
        return null;
      }
    }
    columns.warnings().forEach(warning -> step.warn("file_path", warning));
    if (columns.rows() == 0) {
      step.warn("file_path", step.arguments().text("file_path") + " has a header and no rows");
    }
    return SourceRows.of(
        step,
        files,
        columns.names(),
        columns.types(),
        (rowType, ordered) -> new CsvRows(dialect, rowType, ordered));
  }

  @Nullable
  private static CsvDialect dialect(Step step) {
    Character separator = character(step, "separator");
    Character quote = character(step, "quote");
    String encoding = step.arguments().text("encoding");
    try {
      encoding = Charset.forName(encoding).name();
    } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
      step.error("encoding", "encoding is '" + encoding + "', which is no charset known here");
      return null;
    }
    if (separator == null || quote == null) {
      return null;
    }
    if (separator.equals(quote)) {
      step.error("quote", "quote and separator are both '" + quote + "'");
      return null;
    }
    List<String> nulls =
        step.arguments().has("null_values")
            ? step.arguments().texts("null_values")
            : NullTokens.PANDAS;
    return new CsvDialect(separator, quote, encoding, new NullTokens(nulls));
  }

  @Nullable
  private static Character character(Step step, String parameter) {
    String text = step.arguments().text(parameter);
    text = text.equals("\\t") ? "\t" : text;
    if (text.length() != 1 || text.equals("\n") || text.equals("\r")) {
      step.error(parameter, parameter + " is '" + text + "', but must be one character");
      return null;
    }
    return text.charAt(0);
  }

  @Nullable
  private static Map<String, LogicalType> declared(Step step) {
    Map<String, LogicalType> types = new LinkedHashMap<>();
    JsonNode columns = step.arguments().raw("columns");
    if (columns == null) {
      return types;
    }
    if (!columns.isObject()) {
      step.error("columns", "columns must be a map of column: type, such as id: BIGINT");
      return null;
    }
    for (Map.Entry<String, JsonNode> column : columns.properties()) {
      LogicalType type = type(column.getValue().asText());
      if (type == null) {
        step.error(
            "columns",
            "the type of column '"
                + column.getKey()
                + "' is '"
                + column.getValue().asText()
                + "', but must be BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL(p, s), STRING, DATE or"
                + " TIMESTAMP(p)");
        return null;
      }
      types.put(column.getKey(), type);
    }
    return types;
  }

  @Nullable
  private static LogicalType type(String text) {
    try {
      LogicalType type =
          LogicalTypeParser.parse(text, Thread.currentThread().getContextClassLoader());
      return CsvRows.TYPES.contains(type.getTypeRoot()) ? type.copy(true) : null;
    } catch (ValidationException e) {
      return null;
    }
  }
}
