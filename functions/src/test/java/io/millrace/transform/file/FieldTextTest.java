package io.millrace.transform.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.file.FieldText.Kind;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FieldTextTest {
  private final FieldText text = new FieldText();

  /** What pandas' C parser makes of each spelling; the quotes keep the spaces. */
  @ParameterizedTest
  @CsvSource({
    "'1', INTEGER",
    "'+5', INTEGER",
    "'-0', INTEGER",
    "' 12 ', INTEGER",
    "'0012', INTEGER",
    "'9223372036854775807', INTEGER",
    "'-9223372036854775808', INTEGER",
    "'9223372036854775808', BIG_INTEGER",
    "'-9223372036854775809', BIG_INTEGER",
    "'123456789012345678901234567890', BIG_INTEGER",
    "'1.', DECIMAL",
    "'.5', DECIMAL",
    "'1e5', DECIMAL",
    "'-1.5E-3 ', DECIMAL",
    "'inf', DECIMAL",
    "'-Infinity', DECIMAL",
    "'+INF', DECIMAL",
    "'True', BOOLEAN",
    "'TRUE', BOOLEAN",
    "'true', BOOLEAN",
    "'False', BOOLEAN",
    "'FALSE', BOOLEAN",
    "'false', BOOLEAN",
    "'tRue', TEXT",
    "' True', TEXT",
    "'yes', TEXT",
    "' ', TEXT",
    "'+', TEXT",
    "'-', TEXT",
    "'.', TEXT",
    "'1e', TEXT",
    "'e5', TEXT",
    "'1d', TEXT",
    "'1f', TEXT",
    "'0x10', TEXT",
    "'1 2', TEXT",
    "'1,000', TEXT",
    "'2024-01-31', TEXT",
    "'infx', TEXT",
    "'NAN', TEXT",
    "'１２', TEXT",
  })
  void knowsWhatAFieldCouldBe(String field, Kind kind) {
    char[] buffer = ("<" + field + ">").toCharArray();

    assertThat(text.kindOf(buffer, 1, field.length())).isEqualTo(kind);
  }

  @Property
  void readsEveryLong(@ForAll long value) {
    String field = Long.toString(value);

    assertThat(text.parseLong(field.toCharArray(), 0, field.length())).isTrue();
    assertThat(text.longValue()).isEqualTo(value);
  }

  @Property
  void readsTheNearestDouble(@ForAll double value, @ForAll long digits, @ForAll short shift) {
    for (String field :
        new String[] {
          Double.toString(value),
          new java.math.BigDecimal(value).toPlainString(),
          digits + "." + Math.abs((long) shift),
          digits % 1_000_000_000_000_000L + "e" + shift % 30,
          "0.000" + Math.abs(digits % 100_000L)
        }) {
      assertThat(text.parseDouble(field.toCharArray(), 0, field.length())).as(field).isTrue();
      assertThat(text.doubleValue()).as(field).isEqualTo(Double.parseDouble(field));
    }
  }

  @Property
  void writesDoublesSoThatTheyReadBackTheSame(@ForAll double value, @ForAll float single) {
    assertThat(Double.parseDouble(FloatText.of(value))).isEqualTo(value);
    assertThat(Float.parseFloat(FloatText.of(single))).isEqualTo(single);
  }

  /** Texts as {@code repr} of Python 3 gives them. */
  @ParameterizedTest
  @CsvSource({
    "1, 1.0",
    "-0.0, -0.0",
    "0.1, 0.1",
    "2e-3, 0.002",
    "1e-4, 0.0001",
    "1e-5, 1e-05",
    "1.5e-7, 1.5e-07",
    "123456.789, 123456.789",
    "1e7, 10000000.0",
    "12345678.5, 12345678.5",
    "1e15, 1000000000000000.0",
    "1234567890123456.7, 1234567890123456.8",
    "1e16, 1e+16",
    "-1.2345678901234568e17, -1.2345678901234568e+17",
    "2e-323, 2e-323",
    "1.7976931348623157e308, 1.7976931348623157e+308",
    "2.0e-3, 0.002",
    "Infinity, inf",
    "-Infinity, -inf",
    "NaN, nan",
  })
  void writesDoublesAsPythonDoes(double value, String text) {
    assertThat(FloatText.of(value)).isEqualTo(text);
  }
}
