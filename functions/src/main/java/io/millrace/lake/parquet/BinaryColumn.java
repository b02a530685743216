package io.millrace.lake.parquet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.annotation.Nullable;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.bytes.HeapByteBufferAllocator;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageWriter;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.column.values.rle.RunLengthBitPackingHybridEncoder;
import org.apache.parquet.schema.LogicalTypeAnnotation;

/**
 * A leaf of strings or bytes. Strings start with a dictionary and turn to the plain encoding once
 * it does not pay; bytes are plain, and without statistics.
 */
final class BinaryColumn extends LeafColumn {
  private static final int PROBE_AFTER = 2_000;
  private static final int PROBE_DISTINCT = 1_800;
  private static final int FIRST_CODES = 16;
  private static final int[] NO_CODES = {};
  private static final byte[] NO_BYTES = {};

  private final boolean text;
  private final boolean dictionaryAllowed;
  private final int dictionaryBytes;
  private final PageBuffer plain;
  @Nullable private StringDictionary dictionary;
  private boolean chunkUsesDictionary;
  private boolean dictionaryOpen;
  private int[] codes = NO_CODES;
  private int codeCount;
  private int[] seenInPage = NO_CODES;
  private int pageNumber;
  private byte[] min = NO_BYTES;
  private byte[] max = NO_BYTES;
  private boolean hasRange;

  BinaryColumn(
      ColumnDescriptor descriptor,
      boolean dictionary,
      int dictionaryBytes,
      int pageBytes,
      MemoryUse memory) {
    super(descriptor, pageBytes, memory);
    this.text =
        LogicalTypeAnnotation.stringType()
            .equals(descriptor.getPrimitiveType().getLogicalTypeAnnotation());
    this.dictionaryAllowed = dictionary && text;
    this.dictionaryBytes = dictionaryBytes;
    this.dictionaryOpen = dictionaryAllowed;
    this.plain = new PageBuffer(memory);
  }

  boolean write(String value, int repetition) throws IOException {
    value(repetition);
    if (!dictionaryOpen) {
      return plain(value.getBytes(StandardCharsets.UTF_8));
    }
    if (dictionary == null) {
      dictionary = new StringDictionary(memory);
    }
    if (codeCount == codes.length) {
      growCodes();
    }
    codes[codeCount++] = dictionary.code(value);
    if (codeCount == PROBE_AFTER && !chunkUsesDictionary && dictionary.size() > PROBE_DISTINCT) {
      abandonDictionary();
    }
    return Integer.BYTES * codeCount >= pageBytes
        || (dictionary != null && dictionary.entries().size() >= dictionaryBytes);
  }

  boolean write(byte[] value, int repetition) throws IOException {
    if (dictionaryAllowed) {
      throw new IllegalStateException(
          "column "
              + String.join(".", descriptor.getPath())
              + " takes encoded text only when it is one of the table's unique columns");
    }
    value(repetition);
    return plain(value);
  }

  private boolean plain(byte[] value) {
    plain.putBinary(value);
    if (text) {
      widen(value);
    }
    return plain.size() >= pageBytes;
  }

  private void widen(byte[] value) {
    if (!hasRange) {
      min = value;
      max = value;
      hasRange = true;
    } else if (Arrays.compareUnsigned(value, min) < 0) {
      min = value;
    } else if (Arrays.compareUnsigned(value, max) > 0) {
      max = value;
    }
  }

  private void growCodes() {
    int[] grown = Arrays.copyOf(codes, Math.max(FIRST_CODES, 2 * codes.length));
    memory.add(4L * (grown.length - codes.length));
    codes = grown;
  }

  @Override
  int pageSize() {
    if (!dictionaryOpen) {
      return plain.size();
    }
    boolean full = dictionary != null && dictionary.entries().size() >= dictionaryBytes;
    return full ? pageBytes : Integer.BYTES * codeCount;
  }

  @Override
  Statistics<?> statistics() {
    if (!text) {
      return Statistics.getBuilderForReading(descriptor.getPrimitiveType()).build();
    }
    if (codeCount > 0) {
      widenByCodes();
    }
    Statistics.Builder statistics =
        Statistics.getBuilderForReading(descriptor.getPrimitiveType()).withNumNulls(nulls());
    return hasRange ? statistics.withMin(min).withMax(max).build() : statistics.build();
  }

  private void widenByCodes() {
    pageNumber++;
    if (seenInPage.length < dictionary.size()) {
      int[] grown = Arrays.copyOf(seenInPage, Math.max(dictionary.size(), 2 * seenInPage.length));
      memory.add(4L * (grown.length - seenInPage.length));
      seenInPage = grown;
    }
    int least = codes[0];
    int most = codes[0];
    for (int i = 0; i < codeCount; i++) {
      int code = codes[i];
      if (seenInPage[code] != pageNumber) {
        seenInPage[code] = pageNumber;
        if (dictionary.compare(code, least) < 0) {
          least = code;
        } else if (dictionary.compare(code, most) > 0) {
          most = code;
        }
      }
    }
    min = dictionary.bytes(least);
    max = dictionary.bytes(most);
    hasRange = true;
  }

  @Override
  Encoding encode(PageBuffer page) throws IOException {
    if (codeCount == 0) {
      page.write(plain.bytes(), 0, plain.size());
      return Encoding.PLAIN;
    }
    int start = page.size();
    encodeCodes(page);
    if (!chunkUsesDictionary) {
      long encoded = (long) page.size() - start + dictionary.entries().size();
      if (encoded >= plainSizeOfCodes()) {
        page.truncate(start);
        abandonDictionary();
        page.write(plain.bytes(), 0, plain.size());
        return Encoding.PLAIN;
      }
    }
    chunkUsesDictionary = true;
    if (dictionary.entries().size() >= dictionaryBytes) {
      dictionaryOpen = false;
    }
    return Encoding.RLE_DICTIONARY;
  }

  private void encodeCodes(PageBuffer page) throws IOException {
    int width = BytesUtils.getWidthFromMaxInt(dictionary.size() - 1);
    page.write(width);
    try (RunLengthBitPackingHybridEncoder encoder =
        new RunLengthBitPackingHybridEncoder(
            width, 1024, 1 << 20, HeapByteBufferAllocator.getInstance())) {
      for (int i = 0; i < codeCount; i++) {
        encoder.writeInt(codes[i]);
      }
      encoder.toBytes().writeAllTo(page);
    }
  }

  private long plainSizeOfCodes() {
    long bytes = 0;
    for (int i = 0; i < codeCount; i++) {
      bytes += Integer.BYTES + dictionary.length(codes[i]);
    }
    return bytes;
  }

  /** Only before the chunk has a page that refers to the dictionary. */
  private void abandonDictionary() {
    byte[] entries = dictionary.entries().bytes();
    for (int i = 0; i < codeCount; i++) {
      int at = dictionary.start(codes[i]);
      plain.putInt(dictionary.length(codes[i]));
      plain.write(entries, at, dictionary.length(codes[i]));
    }
    if (codeCount > 0) {
      widenByCodes();
    }
    codeCount = 0;
    dictionaryOpen = false;
    dictionary.release();
    dictionary = null;
  }

  @Override
  void clearPage() {
    plain.clear(2 * pageBytes);
    codeCount = 0;
    hasRange = false;
    min = NO_BYTES;
    max = NO_BYTES;
  }

  @Override
  void endChunk(PageWriter out) throws IOException {
    if (chunkUsesDictionary) {
      PageBuffer entries = dictionary.entries();
      out.writeDictionaryPage(
          new DictionaryPage(
              BytesInput.from(entries.bytes(), 0, entries.size()),
              dictionary.size(),
              Encoding.PLAIN));
    }
  }

  @Override
  void release() {
    clearPage();
    plain.clear(0);
    memory.add(-4L * (codes.length + seenInPage.length));
    codes = NO_CODES;
    seenInPage = NO_CODES;
    pageNumber = 0;
    if (dictionary != null) {
      dictionary.release();
      dictionary = null;
    }
    chunkUsesDictionary = false;
    dictionaryOpen = dictionaryAllowed;
  }
}
