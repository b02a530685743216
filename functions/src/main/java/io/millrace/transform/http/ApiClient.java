package io.millrace.transform.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.RetryPolicy;
import io.millrace.transform.http.PublicAddresses.RefusedHostException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.util.Timeout;

/**
 * Gets JSON. Answers 429 and 5xx, and broken connections, are tried again with growing pauses.
 * Redirects are followed, each checked as the first host was; headers go to the first host only. No
 * message holds a header or a query.
 */
public final class ApiClient implements Closeable {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();
  private static final int MAX_REDIRECTS = 5;

  private final CloseableHttpClient http;
  private final FailsafeExecutor<JsonNode> failsafe;
  private final URI origin;
  private final Map<String, String> headers;
  private long allowance;

  /** An answer that may be another one when it is asked for again. */
  private static final class TryAgainException extends IOException {
    private static final long serialVersionUID = 1L;

    TryAgainException(String message) {
      super(message);
    }
  }

  /** An answer that stays as it is. */
  private static final class AnswerException extends IOException {
    private static final long serialVersionUID = 1L;

    AnswerException(String message) {
      super(message);
    }
  }

  /**
   * A client for one service.
   *
   * @param headers sent to the origin's host only
   * @param retries tries after the first
   * @param pause before the first retry; each further one doubles it
   * @param maxBytes of all answers together
   */
  public ApiClient(
      URI origin,
      Map<String, String> headers,
      Duration timeout,
      int retries,
      Duration pause,
      long maxBytes) {
    this.origin = origin;
    this.headers = Map.copyOf(headers);
    this.allowance = maxBytes;
    Timeout wait = Timeout.of(timeout);
    this.http =
        HttpClients.custom()
            .setConnectionManager(
                PoolingHttpClientConnectionManagerBuilder.create()
                    .setDnsResolver(new PublicAddresses())
                    .setDefaultConnectionConfig(
                        ConnectionConfig.custom()
                            .setConnectTimeout(wait)
                            .setSocketTimeout(wait)
                            .build())
                    .build())
            .setDefaultRequestConfig(RequestConfig.custom().setResponseTimeout(wait).build())
            .disableRedirectHandling()
            .disableAutomaticRetries()
            .disableCookieManagement()
            .build();
    this.failsafe =
        Failsafe.with(
            RetryPolicy.<JsonNode>builder()
                .handle(IOException.class)
                .abortOn(AnswerException.class, RefusedHostException.class)
                .withMaxRetries(retries)
                .withBackoff(pause, pause.multipliedBy(1L << Math.min(retries + 1, 10)))
                .withJitter(0.2)
                .build());
  }

  /** The answer as JSON. */
  public JsonNode get(URI uri) throws IOException {
    try {
      return failsafe.get(() -> follow(uri));
    } catch (FailsafeException e) {
      throw new IOException(
          e.getCause() instanceof TryAgainException
                  || e.getCause() instanceof AnswerException
                  || e.getCause() instanceof RefusedHostException
              ? e.getCause().getMessage()
              : shown(uri) + " is not reached: " + e.getCause().getClass().getSimpleName());
    }
  }

  private JsonNode follow(URI first) throws IOException {
    URI uri = first;
    for (int i = 0; i <= MAX_REDIRECTS; i++) {
      URI asked = uri;
      if (!isHttp(asked)) {
        throw new AnswerException(
            shown(asked) + " is refused: only http and https addresses are asked");
      }
      HttpGet request = new HttpGet(asked);
      request.addHeader("Accept", "application/json");
      if (isOrigin(asked)) {
        headers.forEach(request::addHeader);
      }
      Answer answer = http.execute(request, response -> answer(asked, response));
      if (answer.redirect == null) {
        return answer.json;
      }
      uri = answer.redirect;
    }
    throw new AnswerException(shown(first) + " redirects more than " + MAX_REDIRECTS + " times");
  }

  private record Answer(@Nullable JsonNode json, @Nullable URI redirect) {}

  private Answer answer(URI uri, ClassicHttpResponse response) throws IOException {
    int status = response.getCode();
    if (status == 429 || status >= 500) {
      throw new TryAgainException(shown(uri) + " answers " + status);
    }
    Header location = response.getFirstHeader("Location");
    if (status >= 300 && status < 400 && location != null) {
      try {
        return new Answer(null, uri.resolve(location.getValue()));
      } catch (IllegalArgumentException e) {
        throw new AnswerException(shown(uri) + " redirects to what is no address");
      }
    }
    if (status < 200 || status >= 300 || response.getEntity() == null) {
      throw new AnswerException(shown(uri) + " answers " + status);
    }
    byte[] body;
    try (InputStream stream = response.getEntity().getContent()) {
      body = stream.readNBytes((int) Math.min(Integer.MAX_VALUE - 8, allowance + 1));
    }
    if (body.length > allowance) {
      throw new AnswerException(
          shown(uri) + " answers more than the bytes that max_megabytes allows");
    }
    try {
      JsonNode json = JSON.readTree(body);
      if (json == null || json.isMissingNode()) {
        throw new AnswerException(shown(uri) + " answers nothing, but JSON is needed");
      }
      allowance -= body.length;
      return new Answer(json, null);
    } catch (JsonProcessingException e) {
      throw new AnswerException(shown(uri) + " answers what is not JSON");
    }
  }

  /** Whether that is an address that may be asked at all. */
  public static boolean isHttp(URI uri) {
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    return uri.getHost() != null && (scheme.equals("http") || scheme.equals("https"));
  }

  private boolean isOrigin(URI uri) {
    return origin.getScheme().equalsIgnoreCase(uri.getScheme())
        && origin.getHost().equalsIgnoreCase(uri.getHost())
        && origin.getPort() == uri.getPort();
  }

  /** Without user, query and fragment, which may hold secrets. */
  private static String shown(URI uri) {
    return uri.getScheme()
        + "://"
        + uri.getHost()
        + (uri.getPort() < 0 ? "" : ":" + uri.getPort())
        + (uri.getRawPath() == null ? "" : uri.getRawPath());
  }

  @Override
  public void close() throws IOException {
    http.close();
  }
}
