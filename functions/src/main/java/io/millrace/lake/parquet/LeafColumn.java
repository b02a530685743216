package io.millrace.lake.parquet;

import java.io.IOException;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.bytes.HeapByteBufferAllocator;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.PageWriter;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.column.values.rle.RunLengthBitPackingHybridEncoder;
import org.apache.parquet.schema.Type.Repetition;

/**
 * One leaf of the schema: collects the values of a page and encodes them as a Parquet v1 data page.
 * Row groups are made of the pages of all leaves; each leaf may end a page at any row.
 */
abstract class LeafColumn {
  private static final int LEVEL_SLAB = 64;

  final ColumnDescriptor descriptor;
  final MemoryUse memory;
  final int pageBytes;
  final int present;
  private final boolean nullable;
  private final RunLengthBitPackingHybridEncoder repetitions;
  private final RunLengthBitPackingHybridEncoder definitions;
  private int values;
  private int nulls;
  private int rowsInEarlierPages;

  LeafColumn(ColumnDescriptor descriptor, int pageBytes, MemoryUse memory) {
    this.descriptor = descriptor;
    this.memory = memory;
    this.pageBytes = pageBytes;
    this.present = descriptor.getMaxDefinitionLevel();
    this.nullable = descriptor.getPrimitiveType().getRepetition() == Repetition.OPTIONAL;
    this.repetitions = levels(descriptor.getMaxRepetitionLevel());
    this.definitions = levels(present);
  }

  private RunLengthBitPackingHybridEncoder levels(int max) {
    return max == 0
        ? null
        : new RunLengthBitPackingHybridEncoder(
            BytesUtils.getWidthFromMaxInt(max),
            LEVEL_SLAB,
            Math.max(LEVEL_SLAB, pageBytes),
            HeapByteBufferAllocator.getInstance());
  }

  /** Notes that a value follows. */
  final void value(int repetition) throws IOException {
    level(repetition, present);
  }

  /** A null of the leaf itself. */
  final void absent(int repetition) throws IOException {
    if (!nullable) {
      throw new IllegalArgumentException(
          "column " + String.join(".", descriptor.getPath()) + " is required and got null");
    }
    absent(repetition, present - 1);
  }

  /** No value because something above the leaf is null or empty. */
  final void absent(int repetition, int definition) throws IOException {
    level(repetition, definition);
    nulls++;
  }

  private void level(int repetition, int definition) throws IOException {
    if (repetitions != null) {
      repetitions.writeInt(repetition);
    }
    if (definitions != null) {
      definitions.writeInt(definition);
    }
    values++;
  }

  final int nonNulls() {
    return values - nulls;
  }

  final int nulls() {
    return nulls;
  }

  /** Size of the page so far, before compression. */
  abstract int pageSize();

  /** Appends the encoded values of the page. */
  abstract Encoding encode(PageBuffer page) throws IOException;

  /** Figures over the page's values; may be empty. Called before {@link #encode}. */
  abstract Statistics<?> statistics();

  /** Forgets the page's values. */
  abstract void clearPage();

  /** Hands over what has to stand before the chunk's pages, such as a dictionary. */
  void endChunk(PageWriter out) throws IOException {}

  /** Forgets everything, and gives the memory back. */
  abstract void release();

  /** Ends the page, unless no row was written since the last one. */
  final void endPage(int rows, PageBuffer scratch, PageWriter out) throws IOException {
    int pageRows = rows - rowsInEarlierPages;
    if (pageRows == 0) {
      return;
    }
    scratch.clear(Integer.MAX_VALUE);
    appendLevels(repetitions, scratch);
    appendLevels(definitions, scratch);
    Statistics<?> statistics = statistics();
    Encoding encoding = encode(scratch);
    out.writePage(
        BytesInput.from(scratch.bytes(), 0, scratch.size()),
        values,
        pageRows,
        statistics,
        Encoding.RLE,
        Encoding.RLE,
        encoding);
    clearPage();
    values = 0;
    nulls = 0;
    rowsInEarlierPages = rows;
  }

  /** Readies the leaf for the next row group. */
  final void reset() {
    release();
    rowsInEarlierPages = 0;
    values = 0;
    nulls = 0;
  }

  private static void appendLevels(RunLengthBitPackingHybridEncoder levels, PageBuffer page)
      throws IOException {
    if (levels == null) {
      return;
    }
    int at = page.size();
    page.putInt(0);
    levels.toBytes().writeAllTo(page);
    page.setInt(at, page.size() - at - Integer.BYTES);
    levels.reset();
  }
}
