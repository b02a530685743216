package io.millrace.transform.llm;

import java.io.Serializable;
import java.net.URI;
import java.util.Locale;
import java.util.function.UnaryOperator;
import javax.annotation.Nullable;

/**
 * Where a language model answers. It is the operator's to say, by the environment, and not a
 * pipeline's: a file that somebody wrote must not make a cluster talk to any address.
 *
 * @param url base of an API like OpenAI's; {@code /chat/completions} is below it
 * @param model used where a pipeline names none
 */
public record LlmEndpoint(String url, String model) implements Serializable {
  public static final String URL_VARIABLE = "MILLRACE_LLM_URL";
  public static final String MODEL_VARIABLE = "MILLRACE_LLM_MODEL";
  private static final String HOSTED = "https://api.openai.com/v1";
  private static final String HOSTED_MODEL = "gpt-4o-mini";

  public LlmEndpoint {
    URI parsed = URI.create(url);
    boolean http = "https".equals(parsed.getScheme()) || "http".equals(parsed.getScheme());
    if (!http || parsed.getHost() == null || parsed.getUserInfo() != null) {
      throw new IllegalArgumentException(
          URL_VARIABLE + " is not an http or https URL without credentials");
    }
  }

  /**
   * What the system properties {@code millrace.llm.url} and {@code millrace.llm.model} say, else
   * the environment, else the hosted API.
   */
  public static LlmEndpoint configured() {
    return of(
        variable -> {
          String property = variable.toLowerCase(Locale.ROOT).replace('_', '.');
          return System.getProperty(property, System.getenv(variable));
        });
  }

  /** What the environment says, else the hosted API. */
  static LlmEndpoint of(UnaryOperator<String> environment) {
    return new LlmEndpoint(
        orElse(environment.apply(URL_VARIABLE), HOSTED),
        orElse(environment.apply(MODEL_VARIABLE), HOSTED_MODEL));
  }

  private static String orElse(@Nullable String value, String fallback) {
    return value == null || value.isBlank() ? fallback : value;
  }

  URI chat() {
    return URI.create(url.replaceFirst("/+$", "") + "/chat/completions");
  }
}
