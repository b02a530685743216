package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.local.LakeReader.Rows;
import io.millrace.local.Question.Chart;
import io.millrace.local.Question.Kind;
import io.millrace.local.Report.Answer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/**
 * The report as Chromium shows it, without a network. Needs Debian's packages chromium and
 * chromium-driver: skipped where they are missing, except in CI.
 */
class ReportITCase {
  private static final String SCRIPT = "<script>alert(1)</script>";
  private static final String IMAGE = "</script><img src=x onerror=alert(2)>";
  private static final String LONG = "\"'><svg onload=alert(3)>" + "wide".repeat(40);

  @TempDir private static Path folder;
  @Nullable private static ChromeDriver browser;

  @BeforeAll
  static void writeReport() throws Exception {
    Path chromium = program("chromium");
    Path driver = program("chromedriver");
    if (chromium == null || driver == null) {
      String missing = "ReportITCase needs the packages chromium and chromium-driver";
      assertThat(System.getenv("CI")).as(missing).isNotEqualTo("true");
      System.err.println("Skipped: " + missing);
      Assumptions.abort(missing);
    }
    SmallLake.write(
        folder.resolve("lake"),
        "UPDATE event_rows SET device_type = '"
            + SCRIPT
            + "' WHERE device_type = 'Pixel'; UPDATE session_rows SET app_version = '"
            + IMAGE
            + "' WHERE app_version = '1.9'; UPDATE event_rows SET country = '"
            + LONG.replace("'", "''")
            + "' WHERE country = 'US'");
    try (LakeReader lake = LakeReader.ofFolder(folder.resolve("lake"))) {
      List<Answer> answers = new ArrayList<>();
      for (Question question : Question.all(BuildFiles.sql("queries"))) {
        answers.add(new Answer(question, lake.query(question.sql())));
      }
      Files.writeString(
          folder.resolve("report.html"),
          Report.html(
              "How " + SCRIPT + " was used",
              Report.about(lake, Instant.parse("2026-03-03T00:00:00Z")),
              Report.verdicts(lake),
              answers));
    }
    ChromeOptions options = new ChromeOptions();
    options.setBinary(chromium.toFile());
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--proxy-server=127.0.0.1:1");
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    options.setCapability("goog:loggingPrefs", logs);
    browser =
        new ChromeDriver(
            new ChromeDriverService.Builder().usingDriverExecutable(driver.toFile()).build(),
            options);
  }

  @AfterAll
  static void quit() {
    if (browser != null) {
      browser.quit();
    }
  }

  @Nullable
  private static Path program(String name) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }

  @BeforeEach
  void open() {
    show(1280, "light");
    browser.manage().logs().get(LogType.BROWSER);
  }

  private static void show(int width, String scheme) {
    emulate(width, scheme);
    browser.get(folder.resolve("report.html").toUri().toString());
  }

  private static void emulate(int width, String scheme) {
    browser.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    browser.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", width < 500));
  }

  private static List<String> texts(String css) {
    return browser.findElements(By.cssSelector(css)).stream()
        .map(element -> element.getDomProperty("textContent"))
        .toList();
  }

  private static List<String> rows(String section) {
    List<String> rows = new ArrayList<>();
    for (WebElement row : browser.findElements(By.cssSelector("[id='" + section + "'] tbody tr"))) {
      rows.add(
          String.join(
              " | ",
              row.findElements(By.tagName("td")).stream()
                  .map(cell -> cell.getDomProperty("textContent"))
                  .toList()));
    }
    return rows;
  }

  @ParameterizedTest
  @CsvSource({"1280, light", "1280, dark", "390, light", "390, dark"})
  void everythingIsSeenAtEveryWidthAndScheme(int width, String scheme) throws IOException {
    show(width, scheme);

    assertThat(browser.executeScript("return innerWidth")).isEqualTo((long) width);
    assertThat(browser.executeScript("return document.documentElement.scrollWidth"))
        .as("no horizontal overflow")
        .isEqualTo(browser.executeScript("return document.documentElement.clientWidth"));
    List<WebElement> charts = browser.findElements(By.cssSelector(".chart"));
    assertThat(charts).hasSize(12);
    for (WebElement chart : charts) {
      Dimension drawing = chart.findElement(By.tagName("svg")).getSize();
      assertThat(drawing.width).isEqualTo(chart.getSize().width).isBetween(250, width);
      assertThat(drawing.height).isBetween(40, 500);
      assertThat(chart.findElements(By.cssSelector("svg path[fill]:not([fill='none'])")))
          .isNotEmpty();
      assertThat(chart.getDomAttribute("aria-label")).contains(" values: most ");
    }
    String page =
        (String) browser.executeScript("return getComputedStyle(document.body).backgroundColor");
    assertThat(page).isEqualTo(scheme.equals("dark") ? "rgb(14, 19, 25)" : "rgb(244, 246, 248)");
    assertThat(console()).isEmpty();
    screenshot("report-" + width + "-" + scheme + ".png");
  }

  private static List<String> console() {
    return browser.manage().logs().get(LogType.BROWSER).getAll().stream()
        .map(LogEntry::getMessage)
        .toList();
  }

  /** For the eyes of whoever changes the page: in {@code local/target}. */
  private static void screenshot(String name) throws IOException {
    Map<String, Object> picture =
        browser.executeCdpCommand("Page.captureScreenshot", Map.of("captureBeyondViewport", true));
    Files.write(
        BuildFiles.module().resolve("target").resolve(name),
        Base64.getDecoder().decode((String) picture.get("data")));
  }

  @Test
  void tablesHoldTheExactFigures() {
    assertThat(texts(".tiles dd"))
        .containsExactly("10", "1", "3", "3", "5", "60.0 %", "28.0 s", "33.3 %");
    assertThat(rows("01-installs-by-country"))
        .containsExactly(
            LONG + " | 2 | 66.7 %", "UNKNOWN | 1 | 33.3 %", "DE | 0 | 0.0 %", "US | 0 | 0.0 %");
    assertThat(rows("02-sessions-by-app-version"))
        .containsExactly(
            "2.0 | 4 | 2 | 50.0 % | 35.0 s",
            IMAGE + " | 1 | 1 | 100.0 % | 0.0 s", "1.9 | 0 | 0 | – | –");
    assertThat(rows("03-notification-ctr-by-device"))
        .containsExactly(
            "iPhone | 2 | 1 | 50.0 %",
            SCRIPT + " | 1 | 0 | 0.0 %", "Pixel | 0 | 0 | –", "Tab | 0 | 0 | –");
    assertThat(rows("04-daily-active-users"))
        .containsExactly(
            "2026-03-01 | 3 | 7 | 3 | 2.33 | false", "2026-03-02 | 2 | 2 | 2 | 1 | false");
    assertThat(rows("05-busiest-hours").get(0)).isEqualTo("2026-03-01 10:00 | 5 | 2 | 1 | 1");
    assertThat(texts(".verdicts li"))
        .containsExactly(
            "✓The ledger adds up: 14 records received = 10 accepted + 3 rejected + 1 duplicates.",
            "✓3 of 3 cross-checks between tables hold.");
  }

  @Test
  void chartsShowTheSameFigures() {
    assertThat(texts("[id='03-notification-ctr-by-device-0'] svg text"))
        .contains(SCRIPT, "iPhone", "50.0 %", "0.0 %");
    assertThat(texts("[id='02-sessions-by-app-version-0'] svg text"))
        .contains("2.0", "4", "1", "0");
    assertThat(texts("[id='04-daily-active-users-0'] svg text"))
        .contains("03-01", "03-02", "3", "2");
    assertThat(browser.findElement(By.id("06-activity-by-hour-0")).getDomAttribute("aria-label"))
        .isEqualTo(
            "Events by hour, 3 values: most 2026-03-01 10:00 with 5, least 2026-03-01 11:00 with 2");
  }

  @Test
  void aPointShowsItsFigure() {
    WebElement bar =
        browser.findElement(
            By.cssSelector("[id='03-notification-ctr-by-device-0'] svg path[fill='#0b8a7a']"));
    new Actions(browser).moveToElement(bar).perform();
    Await.until(
        () -> "the tooltip",
        Duration.ofSeconds(10),
        () ->
            texts("[id='03-notification-ctr-by-device-0'] > div").contains("iPhone  CTR: 50.0 %"));
  }

  @Test
  void aLongListIsCutAndAnHourWithoutEventsIsZero() throws IOException {
    List<List<String>> names = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      names.add(List.of("name " + i, String.valueOf(100 - i)));
    }
    List<List<String>> hours =
        List.of(List.of("2026-03-01 22:00", "5"), List.of("2026-03-02 01:00", "7"));
    Path page = folder.resolve("cut.html");
    Files.writeString(
        page,
        Report.html(
            "Cut",
            Map.of(),
            List.of(),
            List.of(
                answer("bars", Kind.BARS, "name", names),
                answer("hours", Kind.LINES, "hour", hours))));
    browser.get(page.toUri().toString());

    assertThat(texts("[id='bars'] p.note"))
        .containsExactly("The first 15 of 20; the table has all.");
    assertThat(rows("bars")).hasSize(20);
    assertThat(texts("[id='bars'] svg text")).contains("name 14").doesNotContain("name 15");
    String option =
        "return echarts.getInstanceByDom(document.getElementById('hours-0')).getOption()";
    assertThat(browser.executeScript(option + ".xAxis[0].data"))
        .isEqualTo(
            List.of(
                "2026-03-01 22:00", "2026-03-01 23:00", "2026-03-02 00:00", "2026-03-02 01:00"));
    assertThat(browser.executeScript(option + ".series[0].data.map(d => d.value ?? d)"))
        .isEqualTo(List.of(5L, 0L, 0L, 7L));
    assertThat(console()).isEmpty();
  }

  private static Answer answer(String name, Kind kind, String by, List<List<String>> rows) {
    return new Answer(
        new Question(name, name + "?", "", "SELECT 1", List.of(new Chart(kind, "n", by))),
        new Rows(List.of(by, "n"), rows, Set.of("n")));
  }

  @Test
  void chartsFollowTheColourSchemeAndTheWidth() {
    By bars = By.cssSelector("[id='01-installs-by-country-0'] svg path[fill='#2f6fde']");
    By darkBars = By.cssSelector("[id='01-installs-by-country-0'] svg path[fill='#5b9bf8']");
    assertThat(browser.findElements(bars)).isNotEmpty();
    emulate(390, "dark");
    Await.until(
        () -> "the charts to be drawn again",
        Duration.ofSeconds(10),
        () -> !browser.findElements(darkBars).isEmpty());
    WebElement chart = browser.findElement(By.id("06-activity-by-hour-0"));
    Await.until(
        () -> "the charts to be as wide as their places",
        Duration.ofSeconds(10),
        () -> chart.findElement(By.tagName("svg")).getSize().width == chart.getSize().width);
    assertThat(chart.getSize().width).isLessThan(390);
    assertThat(browser.findElements(bars)).isEmpty();
  }

  @Test
  void noValueBecomesMarkup() {
    assertThat(browser.getTitle()).isEqualTo("How " + SCRIPT + " was used");
    assertThat(browser.findElements(By.cssSelector("script"))).hasSize(3);
    assertThat(browser.findElements(By.cssSelector("img, [onerror], [onload]"))).isEmpty();
    assertThat(console()).isEmpty();
  }

  @Test
  void nothingIsLoadedAndNoOtherScriptRuns() {
    assertThat(browser.executeScript("return performance.getEntriesByType('resource').length"))
        .isEqualTo(0L);
    assertThat(
            browser.executeScript(
                "const s = document.createElement('script'); s.textContent = 'window.hit = 1';"
                    + " document.body.append(s); return window.hit ?? 'refused'"))
        .isEqualTo("refused");
    assertThat(console()).singleElement().asString().contains("Content Security Policy");
  }
}
