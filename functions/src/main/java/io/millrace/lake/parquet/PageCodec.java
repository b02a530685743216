package io.millrace.lake.parquet;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.HeapByteBufferAllocator;
import org.apache.parquet.compression.CompressionCodecFactory.BytesInputCompressor;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Compresses pages with zstd, one frame each. All files of a subtask share one, with its buffers:
 * they are written by one thread.
 */
final class PageCodec implements BytesInputCompressor {
  private static final int KEEP = 4 << 20;
  private static final byte[] NONE = {};

  private final int level;
  private final PageBuffer page = new PageBuffer(new MemoryUse());
  private byte[] compressed = NONE;

  PageCodec(int level) {
    this.level = level;
  }

  /** Where a page is put together before it is compressed; empty. */
  PageBuffer page() {
    page.clear(KEEP);
    return page;
  }

  @Override
  public BytesInput compress(BytesInput bytes) throws IOException {
    ByteBuffer in = bytes.toByteBuffer(HeapByteBufferAllocator.getInstance(), unused -> {});
    int bound = Math.toIntExact(Zstd.compressBound(in.remaining()));
    if (compressed.length < bound || compressed.length > KEEP) {
      compressed = new byte[Math.max(bound, Math.min(2 * bound, KEEP))];
    }
    long size =
        Zstd.compressByteArray(
            compressed,
            0,
            compressed.length,
            in.array(),
            in.arrayOffset() + in.position(),
            in.remaining(),
            level);
    if (Zstd.isError(size)) {
      throw new IOException("zstd: " + Zstd.getErrorName(size));
    }
    return BytesInput.from(compressed, 0, (int) size);
  }

  @Override
  public CompressionCodecName getCodecName() {
    return CompressionCodecName.ZSTD;
  }

  @Override
  public void release() {}
}
