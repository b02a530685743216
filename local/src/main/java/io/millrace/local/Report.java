package io.millrace.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.mustachejava.DefaultMustacheFactory;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.Question.Chart;
import io.millrace.local.Question.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import javax.annotation.Nullable;

/**
 * Questions and their answers as one HTML page that needs nothing else: styles, scripts, the chart
 * library and the data are in it, and its content security policy forbids it to load anything or to
 * run any other script. Charts are drawn by Apache ECharts; behind each stands the exact table.
 */
public final class Report {
  private static final String WEBJAR = "META-INF/maven/org.webjars.npm/echarts/pom.properties";

  /** A longer table below a timeline is folded: the timeline tells more. */
  private static final int OPEN_ROWS = 12;

  /** A table of more columns does not fit beside a chart. */
  private static final int NARROW_COLUMNS = 5;

  /** A longer text may be broken in two lines. */
  private static final int SHORT_TEXT = 36;

  private static final ObjectMapper JSON = new ObjectMapper();

  private Report() {}

  /** A question and what the lake says. */
  public record Answer(Question question, Rows rows) {}

  /** Something that must hold, and whether it does. */
  public record Verdict(boolean holds, String text) {}

  /**
   * What the lake says about itself: that the ledger adds up, and that the cross-checks hold.
   *
   * @param lake a lake with its quality tables
   */
  public static List<Verdict> verdicts(LakeReader lake) {
    List<String> ledger =
        lake.query(
                "SELECT coalesce(sum(received), 0), coalesce(sum(accepted), 0),"
                    + " coalesce(sum(rejected), 0), coalesce(sum(duplicates), 0),"
                    + " coalesce(sum(abs(discrepancy)), 0) FROM ledger_totals")
            .rows()
            .get(0);
    List<String> counts = ledger.stream().map(Figure.COUNT::format).toList();
    boolean adds = ledger.get(4).equals("0");
    String sum =
        String.format(
            "%s records received = %s accepted + %s rejected + %s duplicates",
            counts.get(0), counts.get(1), counts.get(2), counts.get(3));
    long checks = lake.number("SELECT count(*) FROM cross_checks");
    long held = lake.number("SELECT count(*) FROM cross_checks WHERE holds");
    return List.of(
        new Verdict(
            adds,
            adds
                ? "The ledger adds up: " + sum + "."
                : "The ledger does not add up: "
                    + counts.get(4)
                    + " records are unaccounted for, summed over topics and hours; "
                    + sum
                    + "."),
        new Verdict(
            held == checks && checks > 0,
            checks == 0
                ? "No table was checked against another."
                : String.format(
                    Locale.ROOT, "%,d of %,d cross-checks between tables hold.", held, checks)));
  }

  /** Where a lake's data is from, by its own account. */
  public static Map<String, String> about(LakeReader lake, Instant now) {
    List<String> span =
        lake.query(
                "SELECT min(hour), max(hour) FROM (SELECT year || '-' || month || '-' || day || ' '"
                    + " || hour || ':00' AS hour FROM app_events)")
            .rows()
            .get(0);
    List<String> runs =
        lake
            .query("SELECT DISTINCT run_id || ' (' || mode || ')' AS run FROM ledger ORDER BY run")
            .rows()
            .stream()
            .map(row -> row.get(0))
            .toList();
    Map<String, String> about = new LinkedHashMap<>();
    about.put(
        "Events of the hours (UTC)",
        span.get(0) == null ? Figure.NONE : span.get(0) + " to " + span.get(1));
    about.put("Run", runs.isEmpty() ? Figure.NONE : String.join(", ", runs));
    about.put("Asked at", now.truncatedTo(ChronoUnit.SECONDS).toString());
    return about;
  }

  /**
   * The page.
   *
   * @param title what the page is about
   * @param about names and values that tell where the data is from, in order
   * @param answers in the order in which they are shown; tiles stand above all
   */
  public static String html(
      String title, Map<String, String> about, List<Verdict> verdicts, List<Answer> answers) {
    List<Map<String, Object>> sections = new ArrayList<>();
    List<Map<String, Object>> tiles = new ArrayList<>();
    List<Map<String, Object>> charts = new ArrayList<>();
    for (Answer answer : answers) {
      if (answer.question().charts().stream().anyMatch(c -> c.kind() == Kind.TILES)) {
        tiles.addAll(tiles(answer));
      } else {
        sections.add(section(answer, charts));
      }
    }
    String echarts = libraryFolder();
    String library = script(echarts + "dist/echarts.common.min.js");
    String drawing = script("report/report.js");
    Map<String, Object> page = new LinkedHashMap<>();
    page.put("title", title);
    page.put("about", pairs(about));
    page.put(
        "verdicts",
        verdicts.stream()
            .map(v -> Map.of("holds", v.holds(), "text", v.text(), "word", v.holds() ? "✓" : "✗"))
            .toList());
    page.put("allHold", verdicts.stream().allMatch(Verdict::holds));
    page.put("tiles", tiles);
    page.put("sections", sections);
    page.put("css", resource("report/report.css"));
    page.put("library", library);
    page.put("libraryHash", sha256(library));
    page.put("drawing", drawing);
    page.put("drawingHash", sha256(drawing));
    page.put("licence", resource(echarts + "NOTICE"));
    page.put("data", json(charts));
    StringWriter html = new StringWriter();
    new DefaultMustacheFactory().compile("report/report.html").execute(html, page);
    return html.toString();
  }

  private static List<Map<String, Object>> tiles(Answer answer) {
    List<Map<String, Object>> tiles = new ArrayList<>();
    Rows rows = answer.rows();
    for (int i = 0; !rows.rows().isEmpty() && i < rows.columns().size(); i++) {
      Figure figure = figure(rows, i);
      tiles.add(
          Map.of(
              "label", Figure.heading(rows.columns().get(i)),
              "value", figure.format(rows.rows().get(0).get(i))));
    }
    return tiles;
  }

  private static Map<String, Object> section(Answer answer, List<Map<String, Object>> charts) {
    Question question = answer.question();
    Rows rows = answer.rows();
    List<Figure> figures = new ArrayList<>();
    List<Map<String, Object>> columns = new ArrayList<>();
    for (int i = 0; i < rows.columns().size(); i++) {
      figures.add(figure(rows, i));
      columns.add(
          Map.of(
              "heading",
              Figure.heading(rows.columns().get(i)),
              "number",
              figures.get(i) != Figure.TEXT));
    }
    List<Map<String, Object>> lines = new ArrayList<>();
    for (List<String> row : rows.rows()) {
      List<Map<String, Object>> cells = new ArrayList<>();
      for (int i = 0; i < row.size(); i++) {
        cells.add(
            Map.of(
                "value",
                figures.get(i).format(row.get(i)),
                "number",
                figures.get(i) != Figure.TEXT,
                "short",
                figures.get(i) == Figure.TEXT && isShort(row.get(i))));
      }
      lines.add(Map.of("cells", cells));
    }
    List<Map<String, Object>> drawn = new ArrayList<>();
    if (!rows.rows().isEmpty()) {
      for (Chart chart : question.charts()) {
        drawn.add(chart(question.name() + "-" + drawn.size(), chart, rows));
      }
    }
    charts.addAll(drawn);
    Map<String, Object> section = new LinkedHashMap<>();
    section.put("id", question.name());
    section.put("question", question.text());
    section.put("note", question.note());
    section.put("charts", drawn);
    section.put("drawn", !drawn.isEmpty());
    boolean timeline = question.charts().stream().anyMatch(c -> c.kind() == Kind.LINES);
    section.put(
        "wide", timeline || question.charts().size() != 1 || columns.size() > NARROW_COLUMNS);
    section.put("columns", columns);
    section.put("lines", lines);
    section.put("empty", lines.isEmpty());
    section.put("folded", timeline && lines.size() > OPEN_ROWS);
    section.put("count", Figure.COUNT.format(String.valueOf(lines.size())));
    section.put("sql", question.sql());
    return section;
  }

  private static boolean isShort(@Nullable String text) {
    return text == null || text.length() <= SHORT_TEXT;
  }

  private static Map<String, Object> chart(String id, Chart chart, Rows rows) {
    int value = column(rows, chart.value());
    int category = column(rows, chart.category());
    Figure figure = figure(rows, value);
    List<Map<String, Object>> points = new ArrayList<>();
    for (List<String> row : rows.rows()) {
      String number = row.get(value);
      Map<String, Object> point = new LinkedHashMap<>();
      point.put("name", row.get(category) == null ? Figure.NONE : row.get(category));
      point.put("value", number == null ? null : Double.valueOf(number));
      point.put("label", figure.format(number));
      points.add(point);
    }
    Map<String, Object> drawn = new LinkedHashMap<>();
    drawn.put("id", id);
    drawn.put("kind", chart.kind().name().toLowerCase(Locale.ROOT));
    drawn.put("share", figure == Figure.SHARE);
    drawn.put("title", Figure.heading(chart.value()));
    drawn.put("by", Figure.heading(chart.category()).toLowerCase(Locale.ROOT));
    drawn.put("points", points);
    return drawn;
  }

  private static int column(Rows rows, String name) {
    int column = rows.columns().indexOf(name);
    if (column < 0) {
      throw new IllegalArgumentException(
          "a chart is of '" + name + "', but the query's columns are " + rows.columns());
    }
    return column;
  }

  private static Figure figure(Rows rows, int column) {
    String name = rows.columns().get(column);
    return Figure.of(name, rows.numbers().contains(name));
  }

  private static List<Map<String, Object>> pairs(Map<String, String> about) {
    List<Map<String, Object>> pairs = new ArrayList<>();
    about.forEach((name, value) -> pairs.add(Map.of("name", name, "value", value)));
    return pairs;
  }

  /** JSON that may stand in a script element: nothing in it ends or opens one. */
  private static String json(Object value) {
    try {
      return JSON.writeValueAsString(value).replace("<", "\\u003c");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a report's data is not JSON", e);
    }
  }

  /** The chart library's folder is named by its version, which the build chooses. */
  private static String libraryFolder() {
    Properties webjar = new Properties();
    try {
      webjar.load(new StringReader(resource(WEBJAR)));
    } catch (IOException e) {
      throw new IllegalStateException("cannot read " + WEBJAR, e);
    }
    return "META-INF/resources/webjars/echarts/" + webjar.getProperty("version") + "/";
  }

  /** A script of the class path; what stands between its tags is what the policy's hash is of. */
  private static String script(String name) {
    String script = resource(name);
    if (script.toLowerCase(Locale.ROOT).contains("</script")) {
      throw new IllegalStateException(name + " ends its own script element");
    }
    return script;
  }

  private static String resource(String name) {
    try (InputStream in = Report.class.getClassLoader().getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the class path lacks " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r", "");
    } catch (IOException e) {
      throw new IllegalStateException("cannot read " + name, e);
    }
  }

  private static String sha256(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
