package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.millrace.local.LakeReader.Rows;
import io.millrace.local.Question.Chart;
import io.millrace.local.Question.Kind;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every shipped query gives, on the small lake, the rows that its events let one count by hand. */
class QuestionsTest {
  private static final Map<String, List<String>> EXPECTED =
      new TreeMap<>(
          Map.ofEntries(
              // 10 events with the late one; 5 sessions, 3 bounced, 140 s; 1 open of 3 views.
              Map.entry("00-overview", List.of("10 1 3 3 5 0.6 28.0 0.3333")),
              Map.entry(
                  "01-installs-by-country", List.of("US 2 0.6667", "UNKNOWN 1 0.3333", "DE 0 0.0")),
              // Of 2.0: rates of hours are 0, 0 and 1, of days 0 and 1; the rate of the sums is
              // 1/2.
              Map.entry(
                  "02-sessions-by-app-version", List.of("2.0 4 2 0.5 35.0", "1.9 1 1 1.0 0.0")),
              Map.entry(
                  "03-notification-ctr-by-device",
                  List.of("iPhone 2 1 0.5", "Pixel 1 0 0.0", "Tab 0 0 null")),
              // Hours have 2, 2 and 2 users, countries 1 each: neither adds up to a day's 3 and 2.
              Map.entry(
                  "04-daily-active-users",
                  List.of("2026-03-01 3 7 3 2.33 false", "2026-03-02 2 2 2 1.0 false")),
              Map.entry(
                  "05-busiest-hours",
                  List.of(
                      "2026-03-01 10:00 5 2 1 1",
                      "2026-03-01 11:00 2 2 1 0",
                      "2026-03-02 09:00 2 2 1 0")),
              Map.entry(
                  "06-activity-by-hour",
                  List.of(
                      "2026-03-01 10:00 5 2 1 1",
                      "2026-03-01 11:00 2 2 2 1",
                      "2026-03-02 09:00 2 2 2 1")),
              Map.entry(
                  "07-events-in-sessions",
                  List.of(
                      "install 3 3 2 0.0",
                      "view_notification 3 3 1 16.7",
                      "open_notification 1 1 0 60.0",
                      "session_end 1 1 0 120.0",
                      "session_start 1 1 0 0.0")),
              // ann and bob, bob and cid, ann and bob: three people, six when hours are added up.
              Map.entry("08-active-users-union", List.of("06-12 morning 3 6 9")),
              Map.entry(
                  "09-anomalies",
                  List.of(
                      "total_events all 2026-03-01 10:00 spike critical 5.0 1.5 2 resolved",
                      "notification_ctr device_type=iPhone 2026-03-02 09:00 drop warning 0.0"
                          + " 0.5124 1 still firing")),
              Map.entry(
                  "10-cross-checks",
                  List.of("leaves_equal_all hourly 2 0 null", "session_events sessions 1 0 null")),
              Map.entry(
                  "11-ledger",
                  List.of(
                      "run-1 streaming install 2 2 0 0 0 0",
                      "run-1 streaming session 12 8 3 1 1 0")),
              Map.entry(
                  "12-dead-letters", List.of("missing_field 2 1 20 4000", "not_utf8 1 1 7 7"))));

  @Test
  void everyQueryAnswersItsQuestion(@TempDir Path root) throws Exception {
    SmallLake.write(root, "");
    Map<String, List<String>> found = new TreeMap<>();
    try (LakeReader lake = LakeReader.ofFolder(root)) {
      for (Question question : Question.all(BuildFiles.sql("queries"))) {
        Rows rows = lake.query(question.sql());
        found.put(question.name(), rows.rows().stream().map(r -> String.join(" ", r)).toList());
        assertThat(question.text()).as(question.name()).endsWith("?");
        for (Chart chart : question.charts()) {
          if (chart.kind() != Kind.TILES) {
            assertThat(rows.columns())
                .as(question.name())
                .contains(chart.value(), chart.category());
          }
        }
      }
    }
    assertThat(found).containsExactlyEntriesOf(EXPECTED);
  }

  @Test
  void everyQueryAnswersAnEmptyLake(@TempDir Path root) throws Exception {
    try (LakeReader lake = LakeReader.ofFolder(root)) {
      for (Question question : Question.all(BuildFiles.sql("queries"))) {
        List<List<String>> rows = lake.query(question.sql()).rows();
        if (question.name().equals("00-overview")) {
          assertThat(rows)
              .containsExactly(Arrays.asList("0", "0", "0", "0", "0", null, null, null));
        } else {
          assertThat(rows).as(question.name()).isEmpty();
        }
      }
    }
  }

  @Test
  void readsQuestionNoteAndCharts() {
    Question question =
        Question.parse(
            "x",
            "-- Who?\n-- One,\n-- two.\n-- chart: bars of a, b by c\nSELECT 1\n-- not a note\n");
    assertThat(question)
        .isEqualTo(
            new Question(
                "x",
                "Who?",
                "One, two.",
                "SELECT 1\n-- not a note",
                List.of(new Chart(Kind.BARS, "a", "c"), new Chart(Kind.BARS, "b", "c"))));
  }

  @Test
  void refusesAFileWithoutAQuestionOrWithAnUnknownChart() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Question.parse("x", "SELECT 1"))
        .withMessage("x.sql begins with 'SELECT 1', but must begin with -- and its question");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Question.parse("x", "-- Who?\n-- chart: pies of a by b\nSELECT 1"))
        .withMessage(
            "x.sql says 'chart: pies of a by b', but must say chart: tiles, or chart:"
                + " bars|columns|lines of COLUMN, ... by COLUMN");
  }
}
