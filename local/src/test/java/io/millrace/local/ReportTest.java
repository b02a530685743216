package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.Question.Chart;
import io.millrace.local.Question.Kind;
import io.millrace.local.Report.Answer;
import io.millrace.local.Report.Verdict;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the page says, read as text; {@link ReportITCase} looks at it in a browser. */
class ReportTest {
  private static final String EVIL = "</script><script>alert(1)</script>";

  private static Answer answer(Chart chart, List<String> columns, List<List<String>> rows) {
    List<Chart> charts = chart == null ? List.of() : List.of(chart);
    return new Answer(
        new Question("01-q", "Who & <what>?", "a note", "SELECT '<b>' < 1", charts),
        new Rows(columns, rows, Set.of("n")));
  }

  private static String html(Answer... answers) {
    return Report.html(
        "Title", Map.of("Run", "r<1>"), List.of(new Verdict(true, "1 < 2")), List.of(answers));
  }

  private static JsonNode data(String html) throws Exception {
    String start = "<script type=\"application/json\" id=\"data\">";
    int from = html.indexOf(start) + start.length();
    return new ObjectMapper().readTree(html.substring(from, html.indexOf("</script>", from)));
  }

  @Test
  void valuesOfTheDataAreTextEverywhere() throws Exception {
    String html =
        html(
            answer(
                new Chart(Kind.BARS, "n", "device"),
                List.of("device", "n"),
                List.of(List.of(EVIL, "3"), Arrays.asList(null, null))));

    assertThat(html)
        .doesNotContain("alert(1)</script>")
        .contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;")
        .contains(
            "Who &amp; &lt;what&gt;?",
            "SELECT &#39;&lt;b&gt;&#39; &lt; 1",
            "r&lt;1&gt;",
            "1 &lt; 2");
    // Data, library and drawing, and nothing that a value opened.
    assertThat(html.split("<script", -1)).hasSize(4);
    JsonNode points = data(html).get(0).get("points");
    assertThat(points.get(0).get("name").asText()).isEqualTo(EVIL);
    assertThat(points.get(0).get("value").asDouble()).isEqualTo(3);
    assertThat(points.get(1).get("name").asText()).isEqualTo("–");
    assertThat(points.get(1).get("value").isNull()).isTrue();
  }

  @Test
  void namesNothingThatWouldBeLoaded() {
    String html = html(answer(null, List.of("a"), List.of(List.of("1"))));
    // The library comes behind; it knows tags that it does not use.
    assertThat(html.substring(0, html.indexOf("<script>")))
        .doesNotContainPattern("<(link|img|iframe|script|object|embed)\\b[^>]*(src|href)=");
    assertThat(html)
        .contains("default-src 'none'")
        .containsPattern("script-src 'sha256-[^ ']{44}'");
  }

  @Test
  void figuresAreWrittenAsTheirColumnsSay() {
    assertThat(format("installs", "1234567")).isEqualTo("1,234,567");
    assertThat(format("events_per_user", "2.3333")).isEqualTo("2.33");
    assertThat(format("events_per_user", "2.0")).isEqualTo("2");
    assertThat(format("bounce_rate", "0.12345")).isEqualTo("12.3 %");
    assertThat(format("ctr", "1.0")).isEqualTo("100.0 %");
    assertThat(format("avg_session_seconds", "28.04")).isEqualTo("28.0 s");
    assertThat(format("avg_session_seconds", "59.97")).isEqualTo("1 min 00 s");
    assertThat(format("avg_session_seconds", "754.6")).isEqualTo("12 min 35 s");
    assertThat(format("avg_session_seconds", "7300")).isEqualTo("2 h 01 min");
    assertThat(format("country", "DE")).isEqualTo("DE");
    assertThat(format("app_version", "5.2.0")).isEqualTo("5.2.0");
    assertThat(format("app_version", "5.2")).isEqualTo("5.2");
    assertThat(format("bounce_rate", null)).isEqualTo("–");
    assertThat(Figure.heading("avg_session_seconds")).isEqualTo("Average session");
    assertThat(Figure.heading("notification_ctr")).isEqualTo("Notification CTR");
  }

  private static String format(String column, String value) {
    return Figure.of(column, !column.startsWith("app_") && !column.equals("country")).format(value);
  }

  @Test
  void anAnswerWithoutRowsSaysSo() throws Exception {
    String html = html(answer(new Chart(Kind.LINES, "n", "hour"), List.of("hour", "n"), List.of()));
    assertThat(html).contains("There is nothing: the answer has no rows.");
    assertThat(data(html)).isEmpty();
  }

  @Test
  void refusesAChartOfAColumnThatIsNotThere() {
    Answer answer =
        answer(new Chart(Kind.BARS, "users", "a"), List.of("a", "b"), List.of(List.of("1", "2")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> html(answer))
        .withMessage("a chart is of 'users', but the query's columns are [a, b]");
  }

  @Test
  void verdictsAreTheLakesOwn(@TempDir Path root) throws Exception {
    SmallLake.write(root, "");
    try (LakeReader lake = LakeReader.ofFolder(root)) {
      assertThat(Report.verdicts(lake))
          .containsExactly(
              new Verdict(
                  true,
                  "The ledger adds up: 14 records received = 10 accepted + 3 rejected + 1"
                      + " duplicates."),
              new Verdict(true, "3 of 3 cross-checks between tables hold."));
      assertThat(Report.about(lake, Instant.parse("2026-03-03T00:00:00.5Z")))
          .containsExactly(
              Map.entry("Events of the hours (UTC)", "2026-03-01 10:00 to 2026-03-02 09:00"),
              Map.entry("Run", "run-1 (streaming)"),
              Map.entry("Asked at", "2026-03-03T00:00:00Z"));
    }
  }

  @Test
  void aLossInOneTopicIsNotMadeGoodByAnother(@TempDir Path root) throws Exception {
    SmallLake.write(
        root,
        "UPDATE ledger_rows SET accepted = accepted + CASE topic WHEN 'install' THEN 1 ELSE -1 END;"
            + "UPDATE cross_check_rows SET holds = false WHERE found = 9");
    try (LakeReader lake = LakeReader.ofFolder(root)) {
      List<Verdict> verdicts = Report.verdicts(lake);
      assertThat(verdicts)
          .containsExactly(
              new Verdict(
                  false,
                  "The ledger does not add up: 2 records are unaccounted for, summed over topics"
                      + " and hours; 14 records received = 10 accepted + 3 rejected + 1"
                      + " duplicates."),
              new Verdict(false, "2 of 3 cross-checks between tables hold."));
      assertThat(Report.html("T", Map.of(), verdicts, List.of()))
          .contains("The figures below are not to be trusted")
          .doesNotContain("Nothing lost");
    }
  }

  @Test
  void aLakeInWhichNothingWasCheckedIsNotTrusted(@TempDir Path root) {
    try (LakeReader lake = LakeReader.ofFolder(root)) {
      assertThat(Report.verdicts(lake).get(1))
          .isEqualTo(new Verdict(false, "No table was checked against another."));
    }
  }
}
