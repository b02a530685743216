package io.millrace.lake.parquet;

import io.millrace.event.Origin;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.parquet.bytes.HeapByteBufferAllocator;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.hadoop.ColumnChunkPageWriteStore;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type.Repetition;

/**
 * The columns of the open row group: takes rows column by column, in the schema's order, and holds
 * them as encoded pages until they are flushed to the file.
 */
public final class RowColumns {
  static final int COLUMN_INDEX_TRUNCATE = 64;
  // What the objects of an empty leaf weigh.
  private static final long LEAF_BYTES = 512;

  private final String table;
  private final MessageType schema;
  private final ParquetOptions options;
  private final PageCodec codec;
  private final MemoryUse memory = new MemoryUse();
  private final LeafColumn[] leaves;
  // The definition level of an empty map or array, by its first leaf; a null one is at level 0.
  private final int[] emptyLevels;

  @Nullable private ColumnChunkPageWriteStore pages;
  private long pageBytes;
  private int rows;
  private int rowsInPage;
  private int next;
  private int repetition;
  private boolean pageFull;

  RowColumns(
      String table,
      MessageType schema,
      Set<String> uniqueColumns,
      ParquetOptions options,
      PageCodec codec) {
    this.table = table;
    this.schema = schema;
    this.options = options;
    this.codec = codec;
    List<ColumnDescriptor> descriptors = schema.getColumns();
    this.leaves = new LeafColumn[descriptors.size()];
    this.emptyLevels = new int[leaves.length];
    for (int i = 0; i < leaves.length; i++) {
      ColumnDescriptor d = descriptors.get(i);
      String top = d.getPath()[0];
      leaves[i] = leaf(d, !uniqueColumns.contains(top));
      emptyLevels[i] = schema.getType(top).isRepetition(Repetition.OPTIONAL) ? 1 : 0;
    }
    memory.add(LEAF_BYTES * leaves.length);
  }

  private LeafColumn leaf(ColumnDescriptor d, boolean dictionary) {
    boolean nested = d.getPath().length > 1;
    if (d.getMaxRepetitionLevel() > 1 || (nested && d.getMaxRepetitionLevel() == 0)) {
      throw new IllegalArgumentException(
          table
              + ": column "
              + String.join(".", d.getPath())
              + " is nested in a way that has no row method: maps, arrays and arrays of flat"
              + " structs have");
    }
    return switch (d.getPrimitiveType().getPrimitiveTypeName()) {
      case INT32, INT64 -> new IntegerColumn(d, options.pageBytes(), memory);
      case DOUBLE -> new DoubleColumn(d, options.pageBytes(), memory);
      case BOOLEAN -> new BooleanColumn(d, options.pageBytes(), memory);
      case BINARY ->
          new BinaryColumn(d, dictionary, options.dictionaryBytes(), options.pageBytes(), memory);
      default -> throw new IllegalArgumentException(table + ": no column for " + d);
    };
  }

  /** The next column is a string. */
  public void string(@Nullable String value) throws IOException {
    BinaryColumn leaf = (BinaryColumn) leaves[next++];
    if (value == null) {
      leaf.absent(repetition);
    } else {
      pageFull |= leaf.write(value, repetition);
    }
  }

  /**
   * The next column is bytes, or UTF-8 text of a unique column. The array must not change
   * afterwards.
   */
  public void bytes(@Nullable byte[] value) throws IOException {
    BinaryColumn leaf = (BinaryColumn) leaves[next++];
    if (value == null) {
      leaf.absent(repetition);
    } else {
      pageFull |= leaf.write(value, repetition);
    }
  }

  /** The next column is a timestamp, epoch ms; {@link Origin#NO_TIME} is null. */
  public void time(long epochMillis) throws IOException {
    IntegerColumn leaf = (IntegerColumn) leaves[next++];
    if (epochMillis == Origin.NO_TIME) {
      leaf.absent(repetition);
    } else {
      pageFull |= leaf.write(epochMillis, repetition);
    }
  }

  /** The next column is a 32-bit or 64-bit integer. */
  public void integer(long value) throws IOException {
    pageFull |= ((IntegerColumn) leaves[next++]).write(value, repetition);
  }

  /** The next column is a floating point number. */
  public void decimal(double value) throws IOException {
    pageFull |= ((DoubleColumn) leaves[next++]).write(value, repetition);
  }

  /** The next column is a boolean. */
  public void bool(boolean value) throws IOException {
    pageFull |= ((BooleanColumn) leaves[next++]).write(value, repetition);
  }

  /** The next column, of any flat type, is null. */
  public void none() throws IOException {
    leaves[next++].absent(repetition);
  }

  /** The next column is a map of strings; an empty map is not null. */
  public void stringMap(@Nullable Map<String, String> map) throws IOException {
    int first = next;
    if (map == null || map.isEmpty()) {
      emptyGroup(2, map == null);
      return;
    }
    BinaryColumn keys = (BinaryColumn) leaves[first];
    BinaryColumn values = (BinaryColumn) leaves[first + 1];
    int level = 0;
    for (Map.Entry<String, String> entry : map.entrySet()) {
      pageFull |= keys.write(entry.getKey(), level);
      String value = entry.getValue();
      if (value == null) {
        values.absent(level);
      } else {
        pageFull |= values.write(value, level);
      }
      level = 1;
    }
    next = first + 2;
  }

  /** The next column is an array of strings; an empty array is not null. */
  public void stringList(@Nullable List<String> strings) throws IOException {
    array(strings, 1, (string, fields) -> fields.string(string));
  }

  /**
   * The next column is an array; an empty array is not null.
   *
   * @param leafCount 1 for an array of plain values, else the number of the struct's fields
   * @param writer hands over one element, field by field
   */
  public <E> void array(@Nullable List<E> elements, int leafCount, ElementWriter<E> writer)
      throws IOException {
    int first = next;
    if (elements == null || elements.isEmpty()) {
      emptyGroup(leafCount, elements == null);
      return;
    }
    for (E element : elements) {
      next = first;
      writer.write(element, this);
      if (next != first + leafCount) {
        throw new IllegalStateException(
            table + ": an element got " + (next - first) + " of " + leafCount + " fields");
      }
      repetition = 1;
    }
    repetition = 0;
  }

  /** Hands over the fields of an array's element. */
  @FunctionalInterface
  public interface ElementWriter<E> {
    void write(E element, RowColumns fields) throws IOException;
  }

  private void emptyGroup(int leafCount, boolean isNull) throws IOException {
    if (isNull && emptyLevels[next] == 0) {
      throw new IllegalArgumentException(
          "column " + leaves[next].descriptor.getPath()[0] + " is required and got null");
    }
    for (int i = 0; i < leafCount; i++, next++) {
      leaves[next].absent(0, isNull ? 0 : emptyLevels[next]);
    }
  }

  void endRow() throws IOException {
    if (next != leaves.length) {
      throw new IllegalStateException(
          table + ": a row got " + next + " of " + leaves.length + " leaf columns");
    }
    next = 0;
    rows++;
    if (++rowsInPage >= options.pageRows()) {
      endPages(0);
      rowsInPage = 0;
    } else if (pageFull) {
      endPages(options.pageBytes());
    }
    pageFull = false;
  }

  private void endPages(int atLeast) throws IOException {
    if (pages == null) {
      pages =
          new ColumnChunkPageWriteStore(
              codec, schema, HeapByteBufferAllocator.getInstance(), COLUMN_INDEX_TRUNCATE, false);
    }
    for (LeafColumn leaf : leaves) {
      if (leaf.pageSize() >= atLeast) {
        leaf.endPage(rows, codec.page(), pages.getPageWriter(leaf.descriptor));
      }
    }
    long before = pageBytes;
    pageBytes = 0;
    for (LeafColumn leaf : leaves) {
      pageBytes += pages.getPageWriter(leaf.descriptor).getMemSize();
    }
    memory.add(pageBytes - before);
  }

  /** Rows not yet flushed. */
  int rows() {
    return rows;
  }

  /** Bytes held in memory. */
  long held() {
    return memory.bytes();
  }

  /** Writes the rows as a row group, and gives their memory back. */
  void flush(ParquetFileWriter file) throws IOException {
    if (next != 0) {
      throw new IOException(table + ": a row failed half way; the file cannot be completed");
    }
    if (rows == 0) {
      return;
    }
    endPages(0);
    for (LeafColumn leaf : leaves) {
      leaf.endChunk(pages.getPageWriter(leaf.descriptor));
      leaf.reset();
    }
    file.startBlock(rows);
    pages.flushToFileWriter(file);
    file.endBlock();
    pages.close();
    pages = null;
    memory.add(-pageBytes);
    pageBytes = 0;
    rows = 0;
    rowsInPage = 0;
  }
}
