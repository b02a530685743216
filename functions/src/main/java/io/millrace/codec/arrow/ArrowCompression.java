package io.millrace.codec.arrow;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.apache.arrow.flatbuf.CompressionType;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream;
import org.apache.commons.compress.compressors.lz77support.Parameters;

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
    Parameters search =
        BlockLZ4CompressorOutputStream.createParameterBuilder().tunedForSpeed().build();
    ByteArrayOutputStream compressed = new ByteArrayOutputStream(length / 2 + 64);
    try (OutputStream out =
        new FramedLZ4CompressorOutputStream(
            compressed,
            new FramedLZ4CompressorOutputStream.Parameters(
                FramedLZ4CompressorOutputStream.BlockSize.M4, false, false, false, search))) {
      out.write(bytes, 0, length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return compressed.toByteArray();
  }
}
