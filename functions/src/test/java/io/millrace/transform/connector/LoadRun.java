package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;

/** Runs {@code load_data} over rows written in a test, and publishes its file. */
final class LoadRun {
  /** A column of each type that files may hold, and one whose name needs quotes in SQL. */
  static final List<String> COLUMNS =
      List.of(
          "b", "i", "l", "f", "d", "dec", "t", "day", "time", "at", "instant", "bytes", "CO(GT)");

  static final List<DataType> TYPES =
      List.of(
          DataTypes.BOOLEAN(),
          DataTypes.INT(),
          DataTypes.BIGINT(),
          DataTypes.FLOAT(),
          DataTypes.DOUBLE(),
          DataTypes.DECIMAL(10, 2),
          DataTypes.STRING(),
          DataTypes.DATE(),
          DataTypes.TIME(3),
          DataTypes.TIMESTAMP(6),
          DataTypes.TIMESTAMP_LTZ(3),
          DataTypes.BYTES(),
          DataTypes.STRING());

  private LoadRun() {}

  /** The file that was written. */
  static Path of(LocalTables local, Map<String, ?> arguments, Rows rows) throws Exception {
    LoadData entry = new LoadData();
    Step step = local.step(entry, arguments);
    assertThat(entry.lower(step, List.of(rows))).isNull();
    assertThat(local.problems).isEmpty();
    step.site().environment().execute();
    Step.Publication publication = step.publications().get(0);
    assertThat(publication.target()).doesNotExist();
    assertThat(step.facts()).containsEntry("output_file", publication.target().toString());
    return Files.move(publication.temporary(), publication.target());
  }
}
