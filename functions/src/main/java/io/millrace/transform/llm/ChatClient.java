package io.millrace.transform.llm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.RetryPolicy;
import io.millrace.config.Secret;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.annotation.Nullable;

/**
 * Asks an OpenAI-compatible endpoint for chat completions. Answers 429 and 5xx, and broken
 * connections, are tried again with growing pauses; anything else fails at once. No message holds
 * the key or a prompt.
 */
public final class ChatClient implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LARGEST_ANSWER = 4 << 20;
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /**
   * One message of a conversation.
   *
   * @param role {@code system}, {@code user} or {@code assistant}
   */
  public record Message(String role, String content) {}

  /** How to answer. */
  public record Settings(String model, int maxTokens, double temperature) implements Serializable {}

  /**
   * How patient the client is.
   *
   * @param timeout of one try
   * @param retries tries after the first
   * @param pause before the first retry; each further one doubles it
   * @param concurrency requests at a time
   */
  public record Patience(Duration timeout, int retries, Duration pause, int concurrency)
      implements Serializable {}

  /** The endpoint does not give an answer. */
  public static final class LlmException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final boolean transientFailure;

    private LlmException(String message, boolean transientFailure, @Nullable Throwable cause) {
      super(message, cause);
      this.transientFailure = transientFailure;
    }
  }

  private final LlmEndpoint endpoint;
  @Nullable private final Secret key;
  private final Patience patience;
  private final HttpClient http;
  private final ExecutorService threads;
  private final FailsafeExecutor<String> failsafe;

  /** The key is read for each request, so that a file with it may be replaced. */
  public ChatClient(LlmEndpoint endpoint, @Nullable Secret key, Patience patience) {
    this.endpoint = endpoint;
    this.key = key;
    this.patience = patience;
    threads = Executors.newFixedThreadPool(patience.concurrency());
    http =
        HttpClient.newBuilder()
            .connectTimeout(patience.timeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    Duration longest =
        patience.pause().multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
            ? patience.pause().multipliedBy(2)
            : LONGEST_PAUSE;
    failsafe =
        Failsafe.with(
                RetryPolicy.<String>builder()
                    .handleIf(e -> e instanceof LlmException llm && llm.transientFailure)
                    .withMaxRetries(patience.retries())
                    .withBackoff(patience.pause(), longest)
                    .withJitter(0.2)
                    .build())
            .with(threads);
  }

  /** The text of the answer; the future fails with an {@link LlmException}. */
  public CompletableFuture<String> complete(List<Message> messages, Settings settings) {
    byte[] body = body(messages, settings);
    return failsafe.getAsync(() -> ask(body));
  }

  private static byte[] body(List<Message> messages, Settings settings) {
    ObjectNode request = JSON.createObjectNode();
    request.put("model", settings.model());
    request.put("max_tokens", settings.maxTokens());
    request.put("temperature", settings.temperature());
    for (Message message : messages) {
      request
          .withArray("messages")
          .addObject()
          .put("role", message.role())
          .put("content", message.content());
    }
    try {
      return JSON.writeValueAsBytes(request);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private String ask(byte[] body) throws InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(endpoint.chat())
            .timeout(patience.timeout())
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(body));
    if (key != null) {
      request.header("Authorization", "Bearer " + key.resolve());
    }
    try {
      HttpResponse<InputStream> response = http.send(request.build(), BodyHandlers.ofInputStream());
      try (InputStream stream = response.body()) {
        byte[] answer = stream.readNBytes(LARGEST_ANSWER + 1);
        int status = response.statusCode();
        if (status != 200) {
          throw failed("answers " + status, status == 429 || status >= 500, null);
        }
        return content(answer);
      }
    } catch (IOException e) {
      throw failed("is not reached: " + e.getClass().getSimpleName(), true, e);
    }
  }

  private String content(byte[] answer) {
    if (answer.length > LARGEST_ANSWER) {
      throw failed("sends more than " + LARGEST_ANSWER + " bytes", false, null);
    }
    JsonNode content;
    try {
      content = JSON.readTree(answer).at("/choices/0/message/content");
    } catch (IOException e) {
      throw failed("does not answer in JSON", false, null);
    }
    if (!content.isTextual()) {
      throw failed("answers without choices[0].message.content", false, null);
    }
    return content.asText();
  }

  private LlmException failed(String what, boolean transientFailure, @Nullable Throwable cause) {
    return new LlmException(
        "the language model at " + endpoint.chat().getAuthority() + " " + what,
        transientFailure,
        cause);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
