package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import io.millrace.transform.http.PublicAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExtractApiTest {
  @TempDir Path root;
  private LocalTables local;
  private HttpServer server;
  private final List<String> asked = new CopyOnWriteArrayList<>();

  /** Answers one request. */
  private interface Handler {
    void handle(HttpExchange exchange) throws IOException;
  }

  @BeforeEach
  void start() throws Exception {
    local = new LocalTables(root);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.start();
    System.setProperty(PublicAddresses.ALLOW_PRIVATE, "true");
  }

  @AfterEach
  void stop() {
    server.stop(0);
    System.clearProperty(PublicAddresses.ALLOW_PRIVATE);
  }

  @Test
  void listsSideBySideAreRows() {
    String hours =
        IntStream.range(0, 168)
            .mapToObj(i -> "\"2026-01-" + (10 + i / 24) + "T" + (10 + i % 24) + ":00\"")
            .collect(Collectors.joining(","));
    String values =
        IntStream.range(0, 168)
            .mapToObj(i -> i == 5 ? "null" : i + ".5")
            .collect(Collectors.joining(","));
    answer(
        "/forecast",
        "{\"latitude\":41.9,\"hourly\":{\"time\":[" + hours + "],\"t\":[" + values + "]}}");

    Rows rows =
        extract(
            Map.of(
                "api_url", url("/forecast"),
                "api_params", Map.of("hourly", "t", "forecast_days", 7),
                "records", "hourly"));
    List<List<Object>> collected = LocalTables.collect(rows);

    assertThat(rows.columns()).containsExactly("time", "t");
    assertThat(collected).hasSize(168);
    assertThat(collected.get(4)).isEqualTo(List.of("2026-01-10T14:00", 4.5));
    assertThat(collected.get(5)).isEqualTo(Arrays.asList("2026-01-10T15:00", null));
    assertThat(asked).singleElement().asString().contains("hourly=t").contains("forecast_days=7");
  }

  @Test
  void objectsAreFlattenedAsPandasDoes() {
    answer(
        "/list",
        "[{\"id\":1,\"user\":{\"name\":\"ann\",\"geo\":{\"lat\":1}},\"ok\":true,\"tags\":[1,\"x\"]},"
            + "{\"id\":2,\"user\":{\"name\":null,\"geo\":{\"lat\":2.5}},\"mixed\":1},"
            + "{\"id\":null,\"ok\":false,\"mixed\":\"y\"}]");

    Rows rows = extract(Map.of("api_url", url("/list")));

    assertThat(rows.columns())
        .containsExactly("id", "user.name", "user.geo.lat", "ok", "tags", "mixed");
    assertThat(LocalTables.collect(rows))
        .containsExactly(
            Arrays.asList(1L, "ann", 1.0, true, "[1,\"x\"]", null),
            Arrays.asList(2L, null, 2.5, null, null, "1"),
            Arrays.asList(null, null, null, false, null, "y"));
  }

  @Test
  void oneObjectIsOneRow() {
    answer("/one", "{\"a\":1,\"b\":{\"c\":\"x\"}}");

    assertThat(LocalTables.collect(extract(Map.of("api_url", url("/one")))))
        .containsExactly(List.of(1L, "x"));
  }

  @Test
  void pagesAreAskedForByNumberOffsetCursorAndLink() {
    handle(
        "/pages",
        exchange -> {
          String query = exchange.getRequestURI().getQuery();
          int page = Integer.parseInt(query.replaceAll("\\D", ""));
          boolean isOffset = query.startsWith("offset");
          int first = isOffset ? page : 2 * (page - 1);
          send(exchange, 200, first >= 3 ? "[{\"n\":" + first + "}]" : items(first, 2));
        });
    handle(
        "/next",
        exchange -> {
          String query = exchange.getRequestURI().getQuery();
          int first = query == null ? 0 : 2;
          String next = first == 0 ? "\"next?after=a%26b\"" : "null";
          String cursor = first == 0 ? "\"a&b\"" : "\"\"";
          send(
              exchange,
              200,
              "{\"next\":"
                  + next
                  + ",\"cursor\":"
                  + cursor
                  + ",\"items\":"
                  + items(first, 2)
                  + "}");
        });
    List<List<Object>> four = List.of(List.of(0L), List.of(1L), List.of(2L), List.of(3L));
    List<List<Object>> five =
        List.of(List.of(0L), List.of(1L), List.of(2L), List.of(3L), List.of(4L));

    assertPages(five, Map.of("api_url", url("/pages"), "pagination", "page", "page_size", 2));
    assertThat(asked).containsExactly("/pages?page=1", "/pages?page=2", "/pages?page=3");
    assertPages(five, Map.of("api_url", url("/pages"), "pagination", "offset", "page_size", 2));
    assertThat(asked).containsExactly("/pages?offset=0", "/pages?offset=2", "/pages?offset=4");
    assertPages(
        four,
        Map.of(
            "api_url", url("/next"),
            "records", "items",
            "pagination", "cursor",
            "page_param", "after",
            "next_path", "cursor"));
    assertThat(asked).containsExactly("/next", "/next?after=a%26b");
    assertPages(
        four,
        Map.of(
            "api_url", url("/next"),
            "records", "items",
            "pagination", "next_link",
            "next_path", "next"));
    assertThat(asked).containsExactly("/next", "/next?after=a%26b");
  }

  @Test
  void passingFailuresAreTriedAgain() {
    AtomicInteger count = new AtomicInteger();
    int[] failures = {429, 503};
    handle(
        "/flaky",
        exchange -> {
          int i = count.getAndIncrement();
          send(exchange, i < 2 ? failures[i] : 200, "[{\"a\":1}]");
        });

    assertThat(
            LocalTables.collect(extract(Map.of("api_url", url("/flaky"), "retry_pause", "1 ms"))))
        .containsExactly(List.of(1L));
    assertThat(count).hasValue(3);
  }

  @Test
  void lastingFailuresAreOneLine() throws Exception {
    handle("/404", exchange -> send(exchange, 404, "{}"));
    handle("/500", exchange -> send(exchange, 500, "{}"));
    answer("/text", "<html>");
    answer("/number", "5");
    answer("/none", "[]");
    answer("/ragged", "{\"h\":{\"a\":[1,2],\"b\":[1]}}");
    answer("/large", "[\"" + "x".repeat(2 << 20) + "\"]");
    answer("/forever", "[{\"a\":1}]");

    assertRefused(Map.of("api_url", url("/404")), url("/404") + " answers 404");
    assertRefused(
        Map.of("api_url", url("/500"), "retries", 1, "retry_pause", "1 ms"),
        url("/500") + " answers 500");
    assertThat(asked).filteredOn(a -> a.equals("/500")).hasSize(2);
    assertRefused(Map.of("api_url", url("/text")), url("/text") + " answers what is not JSON");
    assertRefused(
        Map.of("api_url", url("/number")), "the answer is NUMBER, but must be a list or an object");
    assertRefused(
        Map.of("api_url", url("/none")),
        "the answer has no rows, so that its columns are not known");
    assertRefused(
        Map.of("api_url", url("/none"), "records", "a.b"),
        "records is 'a.b', but the answer has no list or object there");
    assertRefused(
        Map.of("api_url", url("/ragged"), "records", "h"),
        "the lists below 'h' differ in length: 'b' has 1, the first 2");
    assertRefused(
        Map.of("api_url", url("/large"), "max_megabytes", 1),
        url("/large") + " answers more than the bytes that max_megabytes allows");
    assertRefused(
        Map.of("api_url", url("/forever"), "pagination", "page", "max_pages", 3),
        "there are more than 3 pages, as max_pages has it");
    assertRefused(
        Map.of("api_url", "ftp://example.com/x"),
        "api_url must begin with http:// or https:// and name a host");
    assertRefused(
        Map.of("api_url", "https://ann:pw@example.com/x"),
        "api_url holds a user; give credentials by auth_type and auth_value");
    assertRefused(
        Map.of("api_url", url("/404"), "auth_type", "bearer"),
        "auth_type and auth_value go together, but only one is given");
    assertRefused(
        Map.of("api_url", url("/404"), "pagination", "cursor"),
        "next_path is missing, which pagination 'cursor' needs");
  }

  /** The key goes to the host that it is for and nowhere else, and into no message. */
  @Test
  void keysAreSentToTheFirstHostOnly() throws Exception {
    Path key = Files.writeString(root.resolve("key"), "geheim-123");
    List<String> seen = new CopyOnWriteArrayList<>();
    handle(
        "/start",
        exchange -> {
          seen.add("start " + exchange.getRequestHeaders().getFirst("x-api-key"));
          exchange
              .getResponseHeaders()
              .add("Location", url("/end").replace("127.0.0.1", "localhost"));
          send(exchange, 302, "");
        });
    handle(
        "/end",
        exchange -> {
          seen.add("end " + exchange.getRequestHeaders().getFirst("x-api-key"));
          send(exchange, 200, "[{\"a\":1}]");
        });
    handle(
        "/bearer",
        exchange -> {
          seen.add(exchange.getRequestHeaders().getFirst("Authorization"));
          send(exchange, 403, "{}");
        });

    extract(Map.of("api_url", url("/start"), "auth_type", "api_key", "auth_value", "file:" + key));
    assertThat(seen).containsExactly("start geheim-123", "end null");
    seen.clear();
    assertRefused(
        Map.of(
            "api_url", url("/bearer") + "?token=geheim-123",
            "auth_type", "bearer",
            "auth_value", "file:" + key),
        url("/bearer") + " answers 403");
    assertThat(seen).containsExactly("Bearer geheim-123");
  }

  @Test
  void hostsOfThisNetworkAreRefusedAlsoBehindARedirect() {
    answer("/in", "[{\"a\":1}]");
    handle(
        "/loop",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "/loop");
          send(exchange, 302, "");
        });
    handle(
        "/file",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "file:///etc/passwd");
          send(exchange, 302, "");
        });

    assertRefused(Map.of("api_url", url("/loop")), url("/loop") + " redirects more than 5 times");
    assertRefused(
        Map.of("api_url", url("/file")),
        "file://null/etc/passwd is refused: only http and https addresses are asked");
    System.clearProperty(PublicAddresses.ALLOW_PRIVATE);
    asked.clear();
    assertRefused(
        Map.of("api_url", url("/in")),
        "127.0.0.1 has the address 127.0.0.1, which is not one of the public internet");
    assertThat(asked).isEmpty();
  }

  private void assertPages(List<List<Object>> expected, Map<String, ?> arguments) {
    asked.clear();
    assertThat(LocalTables.collect(extract(arguments))).isEqualTo(expected);
  }

  private void assertRefused(Map<String, ?> arguments, String message) {
    local.problems.clear();

    assertThat(extract(arguments)).isNull();
    assertThat(local.problems).singleElement().hasToString("step 'step': " + message);
  }

  private Rows extract(Map<String, ?> arguments) {
    return local.lower(new ExtractApi(), new HashMap<>(arguments));
  }

  private static String items(int first, int count) {
    return IntStream.range(first, first + count)
        .mapToObj(n -> "{\"n\":" + n + "}")
        .collect(Collectors.joining(",", "[", "]"));
  }

  private String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private void answer(String path, String json) {
    handle(path, exchange -> send(exchange, 200, json));
  }

  private void handle(String path, Handler handler) {
    server.createContext(
        path,
        exchange -> {
          asked.add(exchange.getRequestURI().toString());
          handler.handle(exchange);
        });
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
    exchange.close();
  }
}
