package io.millrace.transform.connector;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.file.ExcelInference;
import io.millrace.transform.file.ExcelRows;
import io.millrace.transform.file.ExcelSource;
import io.millrace.transform.file.InputFiles;
import io.millrace.transform.file.NullTokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.annotation.Nullable;

/** Reads a sheet of Excel workbooks as pandas' {@code read_excel} does, but texts stay texts. */
public final class ExtractExcel implements Transform {
  private static final int MAX_ROW = 1_048_576;

  private static final Declaration DECLARATION =
      new Declaration(
          "extract_excel",
          Kind.EXTRACT,
          Inputs.NONE,
          "Reads a sheet of Excel workbooks (.xlsx); types are found by reading it whole.",
          List.of(
              Parameter.text("file_path")
                  .require()
                  .doc(
                      "A workbook, a folder (its *.xlsx and *.xlsm) or a glob, relative to the data"
                          + " root."),
              Parameter.scalar("sheet")
                  .defaultTo(0)
                  .doc("The sheet's name, or its number from 0; in quotes a number is a name."),
              Parameter.integer("header_row")
                  .defaultTo(1)
                  .between(1, MAX_ROW)
                  .doc(
                      "The row that holds the columns' names, as Excel numbers it. Rows above are"
                          + " left out."),
              Parameter.texts("null_values")
                  .doc("The texts that mean null, instead of those of pandas.")),
          List.of(
              """
              pipeline:
                name: staff
                steps:
                  - id: read
                    service: extract_excel
                    params: {file_path: staff.xlsx, sheet: Staff}
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
    ExcelSource source = source(step);
    if (source == null) {
      return null;
    }
    String path = step.arguments().text("file_path");
    ExcelInference.Columns columns;
    List<Path> files;
    try {
      files =
          InputFiles.find(
              path,
              file -> step.site().files().resolve(file.toString()),
              List.of(".xlsx", ".xlsm"));
      columns = ExcelInference.read(files, source);
    } catch (IllegalArgumentException | IOException e) {
      step.error("file_path", e.getMessage());
      return null;
    }
    columns.warnings().forEach(warning -> step.warn("file_path", warning));
    if (columns.rows() == 0) {
      step.warn("file_path", path + " has a header and no rows");
    }
    return SourceRows.of(
        step,
        files,
        columns.names(),
        columns.types(),
        (rowType, ordered) -> new ExcelRows(source, rowType, ordered));
  }

  @Nullable
  private static ExcelSource source(Step step) {
    JsonNode sheet = step.arguments().raw("sheet");
    boolean byNumber = sheet.isNumber();
    if (!sheet.isTextual() && !(sheet.canConvertToInt() && sheet.isIntegralNumber())) {
      step.error(
          "sheet",
          "sheet is " + sheet.asText() + ", but must be a sheet's name or its number from 0");
      return null;
    }
    List<String> nulls =
        step.arguments().has("null_values")
            ? step.arguments().texts("null_values")
            : NullTokens.PANDAS;
    return new ExcelSource(
        byNumber ? null : sheet.asText(),
        byNumber ? sheet.asInt() : 0,
        (int) step.arguments().integer("header_row"),
        new NullTokens(nulls));
  }
}
