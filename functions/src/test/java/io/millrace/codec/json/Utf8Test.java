package io.millrace.codec.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Well-formedness of UTF-8, compared with the JDK's own strict decoder. */
class Utf8Test {

  @ParameterizedTest
  @CsvSource({
    // A tail without a head, and bytes that never occur.
    "80, 0",
    "BF, 0",
    "FE, 0",
    "FF, 0",
    "F5808080, 0",
    "F8888080 80, 0",
    // Overlong forms of NUL, '/' and U+FFFF.
    "C080, 0",
    "C0AF, 0",
    "C1BF, 0",
    "E080AF, 0",
    "E09FBF, 0",
    "F08080AF, 0",
    "F08FBFBF, 0",
    // Surrogates, and beyond U+10FFFF.
    "EDA080, 0",
    "EDBFBF, 0",
    "EDA0BDEDB880, 0",
    "F4908080, 0",
    // Cut off, or with a head where a tail should stand.
    "C3, 0",
    "E282, 0",
    "E2, 0",
    "F09F98, 0",
    "F09F, 0",
    "F0, 0",
    "C328, 0",
    "E28228, 0",
    "E22882, 0",
    "F0289F98, 0",
    "F09F2898, 0",
    "F09F9828, 0",
    "616263C3, 3",
    "6161616161616161 61C0, 9",
    // The corners of what is well-formed.
    "'', -1",
    "00, -1",
    "7F, -1",
    "C280, -1",
    "DFBF, -1",
    "E0A080, -1",
    "ED9FBF, -1",
    "EE8080, -1",
    "EFBFBF, -1",
    "F0908080, -1",
    "F48FBFBF, -1",
    "EFBBBF7B7D, -1"
  })
  void findsTheFirstByteOfAnIllFormedSequence(String hex, int expected) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    assertThat(Utf8.firstInvalid(bytes)).isEqualTo(expected);
    // The same behind and before eight plain bytes, where the fast path meets it.
    byte[] within = new byte[bytes.length + 16];
    Arrays.fill(within, (byte) 'a');
    System.arraycopy(bytes, 0, within, 8, bytes.length);
    assertThat(Utf8.firstInvalid(within)).isEqualTo(expected < 0 ? -1 : expected + 8);
  }

  @Test
  void agreesWithTheJdkOnRandomBytes() {
    SplittableRandom random = new SplittableRandom(42);
    int valid = 0;
    for (int i = 0; i < 200_000; i++) {
      byte[] bytes = random.nextInt(4) == 0 ? noise(random) : damagedText(random);
      int expected = firstInvalidByTheJdk(bytes);
      if (Utf8.firstInvalid(bytes) != expected) {
        assertThat(Utf8.firstInvalid(bytes))
            .as(HexFormat.of().formatHex(bytes))
            .isEqualTo(expected);
      }
      valid += expected < 0 ? 1 : 0;
    }
    assertThat(valid).isBetween(20_000, 180_000);
  }

  @Test
  void knowsWhetherAnEscapeMayBeASurrogate() {
    assertThat(escaped("\\ud83d")).isTrue();
    assertThat(escaped("\\uD83D")).isTrue();
    assertThat(escaped("\\ud7ff")).isTrue();
    assertThat(escaped("\\u00e9 \\n \\\\ plain ud83d")).isFalse();
    assertThat(escaped("")).isFalse();
    assertThat(escaped("\\")).isFalse();
    assertThat(escaped("\\u")).isFalse();
    for (int before = 0; before < 20; before++) {
      assertThat(escaped("é".repeat(before) + "\\udc00")).isTrue();
      assertThat(escaped("]".repeat(before) + "\\n".repeat(5) + "\\udc00")).isTrue();
      assertThat(escaped("[".repeat(before) + "\\u0041")).isFalse();
    }
  }

  private static boolean escaped(String text) {
    return Utf8.hasSurrogateEscape(text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] noise(SplittableRandom random) {
    byte[] bytes = new byte[random.nextInt(12)];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] damagedText(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(1, 20); length > 0; length--) {
      int kind = random.nextInt(6);
      int c =
          kind < 3
              ? random.nextInt(0x80)
              : kind == 3
                  ? random.nextInt(0x80, 0x800)
                  : kind == 4 ? random.nextInt(0xE000, 0x10000) : random.nextInt(0x10000, 0x110000);
      text.appendCodePoint(c);
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    switch (random.nextInt(4)) {
      case 0 -> bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      case 1 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      case 2 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      default -> {
        return bytes;
      }
    }
    return bytes;
  }

  private static int firstInvalidByTheJdk(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CoderResult result =
        StandardCharsets.UTF_8.newDecoder().decode(in, CharBuffer.allocate(bytes.length), true);
    return result.isError() ? in.position() : -1;
  }
}
