package io.millrace.codec.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream.BlockSize;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream.Parameters;
import org.junit.jupiter.api.Test;

/** Frames of every kind that another library writes come back as they were. */
class Lz4FramesTest {

  private static byte[] frame(
      byte[] content, boolean checksum, boolean blockChecksums, boolean linked) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (FramedLZ4CompressorOutputStream out =
        new FramedLZ4CompressorOutputStream(
            bytes, new Parameters(BlockSize.K64, checksum, blockChecksums, linked))) {
      out.write(content);
    }
    return bytes.toByteArray();
  }

  private static byte[] content(long seed, int length, int letters) {
    Random random = new Random(seed);
    byte[] content = new byte[length];
    for (int i = 0; i < length; i++) {
      // Stretches that repeat what came shortly before, and others that do not.
      content[i] =
          i > 300 && random.nextInt(20) > 0
              ? content[i - 1 - (int) (seed & 255)]
              : (byte) random.nextInt(letters);
    }
    return content;
  }

  @Property(tries = 60)
  void givesWhatWasCompressed(
      @ForAll long seed,
      @ForAll @IntRange(max = 200_000) int length,
      @ForAll @IntRange(min = 1, max = 256) int letters,
      @ForAll boolean checksum,
      @ForAll boolean blockChecksums,
      @ForAll boolean linked)
      throws IOException {
    byte[] content = content(seed, length, letters);
    byte[] frame = frame(content, checksum, blockChecksums, linked);
    byte[] out = new byte[length];
    assertThat(Lz4Frames.decompress(frame, 0, frame.length, out)).isEqualTo(length);
    assertThat(Arrays.equals(out, content)).isTrue();
  }

  @Test
  void aFrameThatIsCutOrTooLargeIsRefused() throws IOException {
    byte[] frame = frame(content(7, 1000, 4), true, false, false);
    for (int length = 0; length < frame.length; length++) {
      int cut = length;
      assertThatThrownBy(() -> Lz4Frames.decompress(frame, 0, cut, new byte[1000]))
          .isInstanceOf(IOException.class);
    }
    assertThatThrownBy(() -> Lz4Frames.decompress(frame, 0, frame.length, new byte[999]))
        .hasMessage("a frame of LZ4 has more than the 999 bytes that it says");
    byte[] longer = Arrays.copyOf(frame, frame.length + 3);
    assertThatThrownBy(() -> Lz4Frames.decompress(longer, 0, longer.length, new byte[1000]))
        .hasMessage("3 bytes after a frame of LZ4");
    byte[] wrong = frame.clone();
    wrong[frame.length - 1] ^= 1;
    assertThatThrownBy(() -> Lz4Frames.decompress(wrong, 0, wrong.length, new byte[1000]))
        .hasMessage("the checksum of a frame of LZ4 is not that of its content");
  }
}
