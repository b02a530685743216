package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.millrace.local.S3Faults.Count;
import io.millrace.local.S3Faults.Fault;
import io.millrace.local.S3Faults.Operation;
import io.millrace.local.S3Faults.Rule;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Steps of uploads that fail, before a server that remembers what it was asked. */
class FaultyS3Test {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String CREATE = "/lake/a?uploads";
  private static final String COMPLETE = "/lake/a?uploadId=7";

  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final HttpClient client = HttpClient.newBuilder().version(Version.HTTP_1_1).build();
  private HttpServer server;
  private FaultyS3 s3;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          asked.add(
              exchange.getRequestMethod()
                  + " "
                  + exchange.getRequestURI()
                  + " "
                  + exchange.getRequestHeaders().getFirst("Host")
                  + " "
                  + body.length());
          exchange.sendResponseHeaders(200, 2);
          exchange.getResponseBody().write("ok".getBytes(StandardCharsets.UTF_8));
          exchange.close();
        });
    server.start();
    s3 = FaultyS3.before(URI.create("http://127.0.0.1:" + server.getAddress().getPort()));
  }

  @AfterEach
  void stop() {
    s3.close();
    server.stop(0);
  }

  private HttpRequest request(String method, String path, String body, boolean expect) {
    return HttpRequest.newBuilder(URI.create(s3.endpoint() + path))
        .method(method, BodyPublishers.ofString(body))
        .expectContinue(expect)
        .timeout(PATIENCE)
        .build();
  }

  private HttpResponse<String> send(String method, String path, String body, boolean expect)
      throws IOException, InterruptedException {
    return client.send(request(method, path, body, expect), BodyHandlers.ofString());
  }

  private String hostAndPort() {
    return s3.endpoint().getAuthority();
  }

  @Test
  void requestsPassAsTheyAre() throws Exception {
    String large = "x".repeat(3_000_000);
    for (boolean expect : new boolean[] {false, true}) {
      assertThat(send("PUT", "/lake/a?partNumber=1&uploadId=7", large, expect).body())
          .isEqualTo("ok");
    }
    assertThat(send("GET", "/lake/a", "", false).statusCode()).isEqualTo(200);
    assertThat(asked)
        .containsExactly(
            "PUT /lake/a?partNumber=1&uploadId=7 " + hostAndPort() + " 3000000",
            "PUT /lake/a?partNumber=1&uploadId=7 " + hostAndPort() + " 3000000",
            "GET /lake/a " + hostAndPort() + " 0");
    assertThat(s3.count(Operation.UPLOAD_PART)).isEqualTo(new Count(2, 0));
    assertThat(s3.count(Operation.OTHER)).isEqualTo(new Count(1, 0));
  }

  @Test
  void stepsAreToldByTheirRequests() {
    assertThat(Operation.of("POST /lake/a?uploads= HTTP/1.1")).isEqualTo(Operation.CREATE);
    assertThat(Operation.of("PUT /lake/a?partNumber=1&uploadId=7 HTTP/1.1"))
        .isEqualTo(Operation.UPLOAD_PART);
    assertThat(Operation.of("POST /lake/a?uploadId=7 HTTP/1.1")).isEqualTo(Operation.COMPLETE);
    assertThat(Operation.of("DELETE /lake/a?uploadId=7 HTTP/1.1")).isEqualTo(Operation.OTHER);
    assertThat(Operation.of("POST /lake?delete HTTP/1.1")).isEqualTo(Operation.OTHER);
    assertThat(Operation.of("PUT /lake/a HTTP/1.1")).isEqualTo(Operation.PUT);
    assertThat(Operation.of("GET /lake/a HTTP/1.1")).isEqualTo(Operation.OTHER);
  }

  @Test
  void oneStepFailsBelowOnePathOnly() throws Exception {
    s3.setRules(new Rule(Operation.CREATE, "/lake/", Fault.ANSWER_503, 100));
    HttpResponse<String> refused = send("POST", CREATE, "body", true);
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.body()).contains("<Code>SlowDown</Code>");
    assertThat(asked).isEmpty();
    assertThat(send("POST", "/flink/a?uploads", "", false).statusCode()).isEqualTo(200);
    assertThat(send("POST", COMPLETE, "", false).statusCode()).isEqualTo(200);
    assertThat(s3.count(Operation.CREATE)).isEqualTo(new Count(2, 1));
    s3.setRules();
    assertThat(send("POST", CREATE, "", false).statusCode()).isEqualTo(200);
  }

  @Test
  void everyAnswerHasItsStatus() throws Exception {
    s3.setRules(new Rule(Operation.CREATE, "/lake/", Fault.ANSWER_500, 100));
    assertThat(send("POST", CREATE, "", false).statusCode()).isEqualTo(500);
    s3.setRules(new Rule(Operation.CREATE, "/lake/", Fault.ANSWER_429, 100));
    assertThat(send("POST", CREATE, "", false).statusCode()).isEqualTo(429);
  }

  @Test
  void whoMayNotWriteMayRead() throws Exception {
    s3.setRules(new Rule(Operation.PUT, "/flink/checkpoints/", Fault.ANSWER_403, 100));
    HttpResponse<String> refused = send("PUT", "/flink/checkpoints/a", "body", true);
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("<Code>AccessDenied</Code>");
    assertThat(asked).isEmpty();
    assertThat(send("GET", "/flink/checkpoints/a", "", false).statusCode()).isEqualTo(200);
    assertThat(send("PUT", "/flink/ha/a", "body", false).statusCode()).isEqualTo(200);
  }

  @Test
  void aShareOfTheCallsFailsTheSameOnesForTheSameSeed() {
    List<S3Faults.Outcome> first = outcomes(5);
    assertThat(first.stream().filter(o -> o == S3Faults.Outcome.ANSWER_503).count())
        .isBetween(70L, 130L);
    assertThat(outcomes(5)).isEqualTo(first);
    assertThat(outcomes(6)).isNotEqualTo(first);
  }

  private static List<S3Faults.Outcome> outcomes(long seed) {
    S3Faults steps = new S3Faults(seed);
    steps.set(List.of(new Rule(Operation.CREATE, "/lake/", Fault.ANSWER_503, 10)));
    return Stream.generate(() -> steps.decide("POST " + CREATE + " HTTP/1.1"))
        .limit(1_000)
        .toList();
  }

  /** By the seed, the server has seen some of those whose answer was lost, and not all. */
  @Test
  void aResetComesBeforeTheServerOrAfterIt() {
    s3.setRules(new Rule(Operation.COMPLETE, "/lake/", Fault.RESET, 100));
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(() -> send("POST", COMPLETE, "", false)).isInstanceOf(IOException.class);
    }
    assertThat(asked).hasSizeBetween(1, (int) s3.count(Operation.COMPLETE).calls() - 1);
  }

  @Test
  void whatIsHeldNeverReachesTheServer() {
    s3.setRules(new Rule(Operation.COMPLETE, "/lake/", Fault.HOLD, 100));
    CompletableFuture<HttpResponse<String>> held =
        client.sendAsync(request("POST", COMPLETE, "", false), BodyHandlers.ofString());
    Await.until("a request to be held", PATIENCE, () -> s3.held() == 1);
    assertThat(held).isNotDone();
    s3.setRules();
    s3.release();
    // The client sends it again by itself, or fails.
    Await.until("the end of the request", PATIENCE, held::isDone);
    assertThat(s3.held()).isZero();
    assertThat(s3.count(Operation.COMPLETE).faults()).isEqualTo(1);
    assertThat(asked).hasSize((int) s3.count(Operation.COMPLETE).calls() - 1);
  }

  @Test
  void aStallEndsWithAClosedConnection() {
    s3.setRules(new Rule(Operation.CREATE, "/lake/", Fault.STALL, 100));
    long begin = System.nanoTime();
    assertThatThrownBy(() -> send("POST", CREATE, "", false)).isInstanceOf(IOException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofSeconds(4));
    assertThat(asked).isEmpty();
  }
}
