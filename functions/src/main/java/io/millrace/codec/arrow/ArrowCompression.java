package io.millrace.codec.arrow;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import net.jpountz.lz4.LZ4FrameOutputStream;
import net.jpountz.lz4.LZ4FrameOutputStream.BLOCKSIZE;
import net.jpountz.lz4.LZ4FrameOutputStream.FLG;
import org.apache.arrow.flatbuf.CompressionType;

/** How the buffers of a batch are compressed. */
public enum ArrowCompression {
  NONE,
  LZ4,
  ZSTD;

  private static final int ZSTD_LEVEL = 3;

  byte codec() {
    return this == LZ4 ? CompressionType.LZ4_FRAME : CompressionType.ZSTD;
  }

  byte[] compress(byte[] bytes, int length) {
    if (this == ZSTD) {
      byte[] target = new byte[(int) Zstd.compressBound(length)];
      long size = Zstd.compressByteArray(target, 0, target.length, bytes, 0, length, ZSTD_LEVEL);
      if (Zstd.isError(size)) {
        throw new IllegalStateException("zstd: " + Zstd.getErrorName(size));
      }
      return Arrays.copyOf(target, (int) size);
    }
    ByteArrayOutputStream compressed = new ByteArrayOutputStream(length / 2 + 64);
    try (OutputStream out =
        new LZ4FrameOutputStream(compressed, blockSize(length), FLG.Bits.BLOCK_INDEPENDENCE)) {
      out.write(bytes, 0, length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return compressed.toByteArray();
  }

  /** A writer has a buffer of a whole block, however little there is to write. */
  private static BLOCKSIZE blockSize(int length) {
    return length <= 64 << 10
        ? BLOCKSIZE.SIZE_64KB
        : length <= 256 << 10
            ? BLOCKSIZE.SIZE_256KB
            : length <= 1 << 20 ? BLOCKSIZE.SIZE_1MB : BLOCKSIZE.SIZE_4MB;
  }
}
