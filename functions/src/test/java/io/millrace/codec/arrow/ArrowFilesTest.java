package io.millrace.codec.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of Arrow data: streams and Arrow files in, streams out. */
class ArrowFilesTest {
  @TempDir private Path folder;

  /** A row, and where the reader would go on after it. */
  private record Read(List<Object> row, CheckpointedPosition position) {}

  private Path file(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  private static List<Read> read(Path file, RowType type, CheckpointedPosition from)
      throws IOException {
    org.apache.flink.core.fs.Path path = new org.apache.flink.core.fs.Path(file.toUri());
    long length = Files.size(file);
    FileSourceSplit split =
        new FileSourceSplit("1", path, 0, length, 0, length, new String[0], from);
    ArrowFiles format = new ArrowFiles(type, ArrowLimits.OF_FILES, InternalTypeInfo.of(type));
    List<Read> rows = new ArrayList<>();
    List<RowData> kept = new ArrayList<>();
    List<CheckpointedPosition> positions = new ArrayList<>();
    try (BulkFormat.Reader<RowData> reader =
        from == null
            ? format.createReader(new Configuration(), split)
            : format.restoreReader(new Configuration(), split)) {
      for (BulkFormat.RecordIterator<RowData> batch = reader.readBatch();
          batch != null;
          batch = reader.readBatch()) {
        for (RecordAndPosition<RowData> next = batch.next(); next != null; next = batch.next()) {
          kept.add(next.getRecord());
          positions.add(new CheckpointedPosition(next.getOffset(), next.getRecordSkipCount()));
        }
        batch.releaseBatch();
      }
    }
    for (int i = 0; i < kept.size(); i++) {
      rows.add(new Read(RowText.of(kept.get(i), type), positions.get(i)));
    }
    return rows;
  }

  private static List<List<Object>> rows(Path file, RowType type) throws IOException {
    return read(file, type, null).stream().map(Read::row).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "all_types.arrows",
        "all_types_file.arrow",
        "all_types_legacy.arrows",
        "all_types_zstd.arrows"
      })
  void readsWhatAnotherImplementationWrote(String name) throws IOException {
    Path file = file(name, Fixtures.bytes(name));
    assertThat(rows(file, Fixtures.ALL_TYPES))
        .isEqualTo(new ArrayList<>(Fixtures.rows("all_types.json")));
  }

  @Test
  void dictionariesOfAnArrowFile() throws IOException {
    Path file = file("d.arrow", Fixtures.bytes("dictionaries_file.arrow"));
    assertThat(rows(file, Fixtures.DICTIONARIES))
        .isEqualTo(new ArrayList<>(Fixtures.rows("dictionaries.json")));
  }

  @ParameterizedTest
  @EnumSource(ArrowCompression.class)
  void readsWhatItWrote(ArrowCompression compression) throws IOException {
    List<RowData> rows = ArrowRoundTripTest.rows(11, 1000);
    Path file = folder.resolve("written");
    org.apache.flink.core.fs.Path path = new org.apache.flink.core.fs.Path(file.toUri());
    try (FSDataOutputStream out =
        FileSystem.getLocalFileSystem().create(path, WriteMode.NO_OVERWRITE)) {
      BulkWriter<RowData> writer =
          new ArrowFileWriter.Factory(ArrowRoundTripTest.WRITTEN, compression, 128, 1 << 20)
              .create(out);
      for (RowData row : rows) {
        writer.addElement(row);
      }
      writer.finish();
    }
    assertThat(rows(file, ArrowRoundTripTest.WRITTEN))
        .isEqualTo(RowText.of(rows, ArrowRoundTripTest.WRITTEN));
  }

  @ParameterizedTest
  @ValueSource(strings = {"events_zstd.arrows", "all_types_batches.arrows", "all_types_file.arrow"})
  void goesOnAfterAnyRow(String name) throws IOException {
    RowType type = name.startsWith("events") ? Fixtures.EVENTS : Fixtures.ALL_TYPES;
    Path file = file(name, Fixtures.bytes(name));
    List<Read> all = read(file, type, null);
    for (int i = 0; i < all.size(); i += Math.max(1, all.size() / 20)) {
      assertThat(read(file, type, all.get(i).position())).isEqualTo(all.subList(i + 1, all.size()));
    }
  }

  @Test
  void aFileThatWasCutFailsWithItsName() throws IOException {
    for (String name : List.of("all_types.arrows", "all_types_file.arrow")) {
      byte[] whole = Fixtures.bytes(name);
      for (int length = 0; length < whole.length; length += 7) {
        Path cut = file(length + name, Arrays.copyOf(whole, length));
        assertThatThrownBy(() -> rows(cut, Fixtures.ALL_TYPES))
            .isInstanceOf(IOException.class)
            .hasMessageStartingWith("file:" + cut + ": malformed_arrow: ");
      }
    }
  }

  @Test
  void aLengthBeyondTheFileAllocatesNothing() throws IOException {
    byte[] huge = new byte[16];
    Slice.putInt(huge, 0, IpcMessage.CONTINUATION);
    Slice.putInt(huge, 4, Integer.MAX_VALUE);
    Path file = file("huge", huge);
    assertThatThrownBy(() -> rows(file, Fixtures.ALL_TYPES))
        .hasMessage(
            "file:"
                + file
                + ": malformed_arrow: truncated: a message needs 2147483647 bytes at 8 of 16");
  }
}
