package io.millrace.codec.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The C++ implementation of Arrow reads what is written here. It is there where {@code python3}, or
 * what the environment variable {@code MILLRACE_PYTHON} names, has the package {@code pyarrow}.
 */
class ArrowInteropTest {
  @TempDir private Path folder;

  private static String python() {
    String named = System.getenv("MILLRACE_PYTHON");
    return named == null ? "python3" : named;
  }

  private static boolean hasPyarrow() throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(python(), "-c", "import pyarrow")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      // There is no such program.
      return false;
    }
  }

  @ParameterizedTest
  @EnumSource(ArrowCompression.class)
  void anotherImplementationReadsWhatIsWritten(ArrowCompression compression) throws Exception {
    assumeTrue(hasPyarrow(), () -> "skipped: " + python() + " has no package pyarrow");
    List<RowData> rows = ArrowRoundTripTest.rows(23, 500);
    Path file =
        Files.write(
            folder.resolve("written.arrows"), ArrowRoundTripTest.stream(rows, compression, 150));
    Path script = Files.write(folder.resolve("read_arrow.py"), Fixtures.bytes("read_arrow.py"));
    Path out = folder.resolve("out.json");
    Process process =
        new ProcessBuilder(python(), script.toString(), file.toString())
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    JsonNode read = new ObjectMapper().readTree(Files.readString(out, StandardCharsets.UTF_8));
    List<Object> found = new ArrayList<>();
    read.get("rows").forEach(row -> found.add(RowText.of(row)));
    assertThat(found).isEqualTo(new ArrayList<>(RowText.of(rows, ArrowRoundTripTest.WRITTEN)));
    List<String> schema = new ArrayList<>();
    read.get("schema").forEach(f -> schema.add(f.get(0).asText() + ": " + f.get(1).asText()));
    assertThat(schema)
        .contains(
            "big: int64",
            "decimal38: decimal128(38, 10)",
            "fixed: fixed_size_binary[3]",
            "time: time32[ms]",
            "ts9: timestamp[ns]",
            "ltz6: timestamp[us, tz=UTC]",
            "list: list<item: string>",
            "map: map<string, int32>",
            "row: struct<a: int64, b: struct<c: string>>");
  }
}
