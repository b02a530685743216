package io.millrace.transform.llm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * A server that answers as OpenAI's chat completions do, with the failures that a test asks for.
 */
public final class ChatServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What was asked, in order of arrival. */
  public record Asked(String authorization, JsonNode body) {
    public String prompt() {
      JsonNode messages = body.get("messages");
      return messages.get(messages.size() - 1).get("content").asText();
    }
  }

  public final List<Asked> asked = Collections.synchronizedList(new ArrayList<>());

  /** Statuses of the next answers; 200 once there are none left. */
  public final Deque<Integer> failures = new ArrayDeque<>();

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Function<Asked, String> answer;

  public ChatServer(Function<Asked, String> answer) throws IOException {
    this.answer = answer;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/v1/chat/completions", this::handle);
    server.start();
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Asked question =
          new Asked(
              exchange.getRequestHeaders().getFirst("Authorization"),
              JSON.readTree(exchange.getRequestBody()));
      asked.add(question);
      Integer failure;
      synchronized (failures) {
        failure = failures.poll();
      }
      byte[] body;
      if (failure == null) {
        var reply = JSON.createObjectNode();
        reply
            .withArray("choices")
            .addObject()
            .putObject("message")
            .put("role", "assistant")
            .put("content", answer.apply(question));
        body = JSON.writeValueAsBytes(reply);
      } else {
        body = "{\"error\":{}}".getBytes(StandardCharsets.UTF_8);
      }
      exchange.sendResponseHeaders(failure == null || failure == 0 ? 200 : failure, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
