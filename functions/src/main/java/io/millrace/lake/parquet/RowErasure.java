package io.millrace.lake.parquet;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

/** Takes a person's rows out of a file: all other rows, and what the footer says, stay. */
public final class RowErasure {
  /** Above what jobs write with: a file without some rows should not be larger than with them. */
  private static final int ZSTD_LEVEL = 9;

  /** The most that jobs can be told to write with. */
  private static final int LAST_ZSTD_LEVEL = 22;

  private static final int SHORT_STATISTICS = 8;
  private static final int TAIL = 8;

  private RowErasure() {}

  /** What a file holds. */
  public record Count(long rows, long ofPerson) {}

  /** Counts a person's rows; only the columns that tell are read. */
  public static Count count(org.apache.flink.core.fs.Path file, PersonRows person)
      throws IOException {
    long rows = 0;
    long found = 0;
    try (ParquetRows all = new ParquetRows(file, PersonRows.columns(schema(file)))) {
      for (Group row = all.next(); row != null; row = all.next()) {
        rows++;
        found += person.has(row) ? 1 : 0;
      }
    }
    return new Count(rows, found);
  }

  private static ParquetMetadata metadata(org.apache.flink.core.fs.Path file) throws IOException {
    ParquetReadOptions options =
        ParquetReadOptions.builder(new PlainParquetConfiguration()).build();
    try (ParquetFileReader reader = ParquetFileReader.open(FlinkFiles.input(file), options)) {
      return reader.getFooter();
    }
  }

  private static MessageType schema(org.apache.flink.core.fs.Path file) throws IOException {
    return metadata(file).getFileMetaData().getSchema();
  }

  /** Columns that the file has no dictionary of, by their first name. */
  private static Set<String> uniqueColumns(ParquetMetadata file) {
    Set<String> unique = new HashSet<>();
    Set<String> others = new HashSet<>();
    for (BlockMetaData rowGroup : file.getBlocks()) {
      for (ColumnChunkMetaData column : rowGroup.getColumns()) {
        (column.hasDictionaryPage() ? others : unique).add(column.getPath().toArray()[0]);
      }
    }
    unique.removeAll(others);
    return unique;
  }

  /**
   * Writes the file without the person's rows. What comes out is as long as what went in, where
   * that is possible: a job that is restored from the checkpoint which committed the file looks at
   * its length.
   *
   * @param target a file of this machine, which is replaced
   * @return the rows that are left
   */
  public static long write(org.apache.flink.core.fs.Path file, PersonRows person, Path target)
      throws IOException {
    ParquetMetadata former = metadata(file);
    MessageType schema = former.getFileMetaData().getSchema();
    ParquetFooter footer = ParquetFooter.read(file);
    long left = footer.rows() - count(file, person).ofPerson();
    Map<String, String> metadata = new HashMap<>(footer.metadata());
    metadata.put(Lineage.ROWS, Long.toString(left));
    Set<String> unique = uniqueColumns(former);
    long length = file.getFileSystem().getFileStatus(file).getLen();
    Format format = new Format(schema, metadata, unique, ZSTD_LEVEL, Integer.MAX_VALUE);
    write(file, person, target, format);
    if (Files.size(target) > length) {
      // Of two values, a short one that was the least may be gone, and the long one stand for it.
      write(file, person, target, format.smallest());
    }
    pad(target, length);
    return left;
  }

  /**
   * How a file is written.
   *
   * @param unique columns without a dictionary
   * @param statistics longest value that tells of a column's least and greatest
   */
  private record Format(
      MessageType schema,
      Map<String, String> metadata,
      Set<String> unique,
      int zstdLevel,
      int statistics) {
    Format smallest() {
      return new Format(schema, metadata, unique, LAST_ZSTD_LEVEL, SHORT_STATISTICS);
    }
  }

  private static void write(
      org.apache.flink.core.fs.Path file, PersonRows person, Path target, Format format)
      throws IOException {
    RowColumns columns =
        new RowColumns(
            file.getName(),
            format.schema(),
            format.unique(),
            ParquetOptions.DEFAULT,
            new PageCodec(format.zstdLevel()));
    try (LocalDataOutputStream out = new LocalDataOutputStream(target.toFile());
        ParquetRows rows = new ParquetRows(file, format.schema())) {
      ParquetFileWriter writer =
          new ParquetFileWriter(
              FlinkFiles.output(out),
              format.schema(),
              ParquetFileWriter.Mode.CREATE,
              ParquetOptions.DEFAULT.rowGroupBytes(),
              0,
              RowColumns.COLUMN_INDEX_TRUNCATE,
              format.statistics(),
              false);
      writer.start();
      for (Group row = rows.next(); row != null; row = rows.next()) {
        if (!person.has(row)) {
          copy(row, columns, format.unique());
          if (columns.held() >= ParquetOptions.DEFAULT.rowGroupBytes()) {
            columns.flush(writer);
          }
        }
      }
      columns.flush(writer);
      writer.end(format.metadata());
    }
  }

  private static void copy(Group row, RowColumns columns, Set<String> unique) throws IOException {
    for (Type field : row.getType().getFields()) {
      String name = field.getName();
      boolean isNull = row.getFieldRepetitionCount(name) == 0;
      boolean isText = !unique.contains(name);
      if (field.isPrimitive()) {
        primitive(isNull ? null : row, field.asPrimitiveType(), isText, columns);
      } else if (LogicalTypeAnnotation.mapType().equals(field.getLogicalTypeAnnotation())) {
        columns.stringMap(isNull ? null : map(row.getGroup(name, 0)));
      } else {
        array(isNull ? null : row.getGroup(name, 0), field.asGroupType(), isText, columns);
      }
    }
    columns.endRow();
  }

  private static Map<String, String> map(Group map) {
    Map<String, String> entries = new LinkedHashMap<>();
    for (int i = 0; i < map.getFieldRepetitionCount(0); i++) {
      Group entry = map.getGroup(0, i);
      entries.put(
          entry.getString(0, 0),
          entry.getFieldRepetitionCount(1) == 0 ? null : entry.getString(1, 0));
    }
    return entries;
  }

  private static void array(
      @Nullable Group array, GroupType type, boolean isText, RowColumns columns)
      throws IOException {
    Type element = type.getType(0).asGroupType().getType(0);
    List<Group> elements = array == null ? null : new ArrayList<>();
    if (array != null) {
      for (int i = 0; i < array.getFieldRepetitionCount(0); i++) {
        elements.add(array.getGroup(0, i));
      }
    }
    if (element.isPrimitive()) {
      columns.array(
          elements, 1, (e, fields) -> primitive(e, element.asPrimitiveType(), isText, fields));
      return;
    }
    List<Type> parts = element.asGroupType().getFields();
    columns.array(
        elements,
        parts.size(),
        (e, fields) -> {
          Group struct = e.getGroup(0, 0);
          for (Type part : parts) {
            boolean isNull = struct.getFieldRepetitionCount(part.getName()) == 0;
            primitive(isNull ? null : struct, part.asPrimitiveType(), isText, fields);
          }
        });
  }

  /** The field of a group; no group stands for null. */
  private static void primitive(
      @Nullable Group of, PrimitiveType type, boolean isText, RowColumns columns)
      throws IOException {
    String name = type.getName();
    if (of == null) {
      columns.none();
      return;
    }
    switch (type.getPrimitiveTypeName()) {
      case INT32 -> columns.integer(of.getInteger(name, 0));
      case INT64 -> columns.integer(of.getLong(name, 0));
      case DOUBLE -> columns.decimal(of.getDouble(name, 0));
      case BOOLEAN -> columns.bool(of.getBoolean(name, 0));
      case BINARY -> {
        if (isText && type.getLogicalTypeAnnotation() != null) {
          columns.string(of.getString(name, 0));
        } else {
          columns.bytes(of.getBinary(name, 0).getBytes());
        }
      }
      default -> throw new IOException("no table has a column like " + type);
    }
  }

  /** Puts bytes that nobody reads before the footer, which says where everything is. */
  private static void pad(Path file, long length) throws IOException {
    long now = Files.size(file);
    if (now >= length) {
      return;
    }
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(now - TAIL);
      int footer = Integer.reverseBytes(bytes.readInt());
      byte[] end = new byte[footer + TAIL];
      bytes.seek(now - end.length);
      bytes.readFully(end);
      // The gap reads as zeros once the file ends behind it; what of the old footer lies there
      // goes.
      bytes.setLength(now - end.length);
      bytes.setLength(length - end.length);
      bytes.seek(length - end.length);
      bytes.write(end);
    }
  }
}
