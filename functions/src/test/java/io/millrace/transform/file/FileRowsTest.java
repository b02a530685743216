package io.millrace.transform.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several readers of one file: each row comes from one of them, with its place in the file. */
class FileRowsTest {
  private static final int ROWS = 50_001;
  private static final RowType TYPE =
      RowType.of(
          false,
          new LogicalType[] {
            new BigIntType(), new VarCharType(VarCharType.MAX_LENGTH), new BigIntType(false)
          },
          new String[] {"n", "text", "place"});

  @TempDir Path dir;

  /** Rows whose texts have line ends in them, so that no reader can start in the middle. */
  private Path file(int rows) throws IOException {
    StringBuilder text = new StringBuilder("n,text\n");
    for (int i = 0; i < rows; i++) {
      text.append(i).append(",\"").append("two\nlines ".repeat(9)).append(i).append("\"\n");
    }
    return Files.writeString(dir.resolve(rows + ".csv"), text);
  }

  private static List<FileSourceSplit> splits(int readers, Path... files) throws IOException {
    List<org.apache.flink.core.fs.Path> paths = new ArrayList<>();
    for (Path file : files) {
      paths.add(org.apache.flink.core.fs.Path.fromLocalFile(file.toFile()));
    }
    return FileRows.splits(paths.toArray(org.apache.flink.core.fs.Path[]::new), readers);
  }

  private static FileRows format(Path file) {
    return FileRows.format(
        List.of(file),
        new CsvRows(
            new CsvDialect(
                ',', '"', StandardCharsets.UTF_8.name(), new NullTokens(NullTokens.PANDAS)),
            TYPE,
            true));
  }

  private static List<Long> places(BulkFormat.Reader<RowData> reader, int most) throws IOException {
    List<Long> places = new ArrayList<>();
    try (reader) {
      BulkFormat.RecordIterator<RowData> batch;
      while (places.size() < most && (batch = reader.readBatch()) != null) {
        RecordAndPosition<RowData> next;
        while ((next = batch.next()) != null) {
          RowData row = next.getRecord();
          assertThat(row.getLong(0)).isEqualTo(row.getLong(2));
          assertThat(row.getString(1).toString()).endsWith("lines " + row.getLong(0));
          places.add(row.getLong(2));
        }
        batch.releaseBatch();
      }
    }
    return places;
  }

  @Test
  void eachRowComesFromOneReader() throws IOException {
    Path file = file(ROWS);
    List<FileSourceSplit> splits = splits(3, file);
    assertThat(splits).hasSize(3);
    List<Long> all = new ArrayList<>();
    for (FileSourceSplit split : splits) {
      List<Long> places = places(format(file).createReader(new Configuration(), split), ROWS);
      assertThat(places).hasSizeBetween(ROWS / 4, ROWS / 2).isSorted();
      all.addAll(places);
    }
    assertThat(all.stream().sorted().toList())
        .isEqualTo(LongStream.range(0, ROWS).boxed().toList());
  }

  @Test
  void aReaderThatIsRestoredGoesOnBehindWhatItHadSent() throws IOException {
    Path file = file(ROWS);
    FileSourceSplit split = splits(2, file).get(1);
    List<Long> whole = places(format(file).createReader(new Configuration(), split), ROWS);
    FileSourceSplit at =
        split.updateWithCheckpointedPosition(
            new CheckpointedPosition(CheckpointedPosition.NO_OFFSET, 5_000));
    assertThat(places(format(file).restoreReader(new Configuration(), at), ROWS))
        .isEqualTo(whole.subList(5_000, whole.size()));
  }

  @Test
  void smallFilesAndManyFilesHaveAReaderEach() throws IOException {
    Path small = file(100);
    Path large = file(ROWS);
    assertThat(splits(4, small)).hasSize(1);
    assertThat(splits(4, large, small)).hasSize(3);
    assertThat(splits(1, large)).hasSize(1);
    assertThat(splits(64, large)).hasSize(8);
    assertThat(splits(4, large, large, large, large)).hasSize(4);
  }
}
