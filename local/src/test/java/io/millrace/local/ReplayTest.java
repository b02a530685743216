package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong arguments of a replay take a line. */
class ReplayTest {
  @TempDir private Path home;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--reason mistyped --since 1h|--reason is 'mistyped', but must be of: bad_event_type,",
        "--reason not_utf8 --since yesterday|--since is 'yesterday', but must be an instant, as",
        "--reason not_utf8 --since 1h --limit 0|--limit is 0, but must be at least 1",
        "--reason not_utf8 --since 1h --lake s3://a|--lake and --bootstrap-servers go together",
        "--reason not_utf8 --since 1h --lake a --bootstrap-servers b:1|--lake is 'a', but must be",
        "--reason not_utf8 --since 1h --kafka-properties /no|--kafka-properties is '/no', which is",
        "--since 1h|Missing required option: '--reason=R[,R]'"
      })
  void wrongArgumentsAreNamed(String args, String said) {
    StringWriter errors = new StringWriter();
    assertThat(run(errors, args.split(" "))).isEqualTo(2);
    assertThat(errors.toString()).startsWith("scripts/replay: " + said);
  }

  @Test
  void withoutAStackThereIsNothingToReplay() {
    StringWriter errors = new StringWriter();
    assertThat(run(errors, "--reason", "not_utf8", "--since", "1h")).isEqualTo(1);
    assertThat(errors.toString()).contains("no stack is up in " + home);
  }

  private int run(StringWriter errors, String... args) {
    PrintStream print = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    return Commands.run(new Replay(print, home, Map.of()), args, new PrintWriter(errors, true));
  }
}
