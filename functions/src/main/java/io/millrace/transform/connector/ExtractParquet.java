package io.millrace.transform.connector;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.file.InputFiles;
import io.millrace.transform.file.ParquetColumns;
import io.millrace.transform.file.ParquetRows;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.annotation.Nullable;

/** Reads Parquet files with the types that they have. */
public final class ExtractParquet implements Transform {
  private static final Declaration DECLARATION =
      new Declaration(
          "extract_parquet",
          Kind.EXTRACT,
          Inputs.NONE,
          "Reads Parquet files; types are those of the files.",
          List.of(
              Parameter.text("file_path")
                  .require()
                  .doc(
                      "A file, a folder (its *.parquet) or a glob, relative to the data root. Names"
                          + " of folders such as day=2026-01-31 make no columns.")),
          List.of(
              """
              pipeline:
                name: trips
                steps:
                  - id: read
                    service: extract_parquet
                    params: {file_path: trips.parquet}
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
    String path = step.arguments().text("file_path");
    ParquetColumns.Columns columns;
    List<Path> files;
    try {
      files =
          InputFiles.find(
              path, file -> step.site().files().resolve(file.toString()), List.of(".parquet"));
      columns = ParquetColumns.read(files);
    } catch (IllegalArgumentException | IOException e) {
      step.error("file_path", e.getMessage());
      return null;
    }
    if (columns.rows() == 0) {
      step.warn("file_path", path + " has columns and no rows");
    }
    return SourceRows.of(step, files, columns.names(), columns.types(), ParquetRows::new);
  }
}
