package io.millrace.transform.connector;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.config.ConfigException;
import io.millrace.transform.Arguments;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.http.ApiClient;
import io.millrace.transform.http.JsonRows;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;
import org.apache.hc.core5.net.URIBuilder;

/**
 * Asks a service on the web for JSON, page by page, when the pipeline is compiled; the rows travel
 * with the job.
 */
public final class ExtractApi implements Transform {
  private static final int MAX_MEGABYTES = 256;
  private static final int MAX_PAGES = 100_000;
  private static final int MAX_RETRIES = 10;

  private static final Declaration DECLARATION =
      new Declaration(
          "extract_api",
          Kind.EXTRACT,
          Inputs.NONE,
          "Gets JSON from a service on the web.",
          List.of(
              Parameter.text("api_url")
                  .require()
                  .doc("An http or https address whose host is on the public internet."),
              Parameter.object("api_params").doc("Added to the address's query, by name."),
              Parameter.text("auth_type")
                  .oneOf("api_key", "bearer")
                  .doc("How auth_value is sent: in the header auth_header, or as a bearer token."),
              Parameter.text("auth_value").asSecret().doc("The key or token."),
              Parameter.text("auth_header").defaultTo("x-api-key").doc("With api_key."),
              Parameter.text("records")
                  .defaultTo("")
                  .doc(
                      "Keys joined by dots, below which the rows are: a list of objects, or an"
                          + " object of lists of one length, which become columns. The answer"
                          + " itself unless given."),
              Parameter.text("pagination")
                  .oneOf("page", "offset", "cursor", "next_link")
                  .doc(
                      "How further pages are asked for: by number, by the count of rows so far, by"
                          + " a value of the page before, or by an address in it."),
              Parameter.text("page_param")
                  .doc("The query's name for it; page, offset or cursor unless given."),
              Parameter.integer("first_page").defaultTo(1).atLeast(0).doc("With page."),
              Parameter.integer("page_size")
                  .atLeast(1)
                  .doc("A page with fewer rows is the last; without, one with none."),
              Parameter.text("page_size_param").doc("The query's name for page_size."),
              Parameter.text("next_path")
                  .doc("With cursor and next_link: where a page has it, keys joined by dots."),
              Parameter.integer("max_pages")
                  .defaultTo(1000)
                  .between(1, MAX_PAGES)
                  .doc("More pages are an error."),
              Parameter.integer("max_megabytes")
                  .defaultTo(64)
                  .between(1, MAX_MEGABYTES)
                  .doc("Of all answers; more is an error."),
              Parameter.duration("timeout").defaultTo("30 s").doc("Of one try."),
              Parameter.integer("retries")
                  .defaultTo(3)
                  .between(0, MAX_RETRIES)
                  .doc("After 429, 5xx and broken connections."),
              Parameter.duration("retry_pause")
                  .defaultTo("500 ms")
                  .doc("Before the first retry; doubled before each further one.")),
          List.of(
              """
              pipeline:
                name: forecast
                steps:
                  - id: read
                    service: extract_api
                    params:
                      api_url: https://api.open-meteo.com/v1/forecast
                      api_params: {latitude: 41.9, longitude: 12.5, hourly: temperature_2m}
                      records: hourly
                  - id: save
                    service: load_data
                    params: {format: csv}
                    depends_on: [read]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    URI origin = uri(step);
    if (origin == null || !pagesAreNamed(step) || !authIsWhole(step)) {
      return null;
    }
    if (step.site().offline()) {
      return null;
    }
    JsonRows json = new JsonRows();
    try (ApiClient client = client(step, origin)) {
      fetch(step, client, origin, json);
    } catch (IOException | ConfigException e) {
      step.error("api_url", e.getMessage());
      return null;
    }
    if (json.columns().isEmpty()) {
      step.error("api_url", "the answer has no rows, so that its columns are not known");
      return null;
    }
    RowType rowType = SourceRows.rowType(step, json.columns(), json.types());
    if (rowType == null) {
      return null;
    }
    String uid = step.id() + "-read";
    return SourceRows.rows(
        step,
        step.site()
            .environment()
            .fromData(json.rows(step.bounded()), InternalTypeInfo.of(rowType))
            .uid(uid)
            .name(uid));
  }

  private static ApiClient client(Step step, URI origin) {
    Arguments arguments = step.arguments();
    Map<String, String> headers = new LinkedHashMap<>();
    arguments
        .optionalText("auth_type")
        .ifPresent(
            type -> {
              String value = arguments.secret("auth_value").resolve();
              if (type.equals("bearer")) {
                headers.put("Authorization", "Bearer " + value);
              } else {
                headers.put(arguments.text("auth_header"), value);
              }
            });
    return new ApiClient(
        origin,
        headers,
        arguments.duration("timeout"),
        (int) arguments.integer("retries"),
        arguments.duration("retry_pause"),
        arguments.integer("max_megabytes") << 20);
  }

  private static void fetch(Step step, ApiClient client, URI origin, JsonRows json)
      throws IOException {
    Arguments arguments = step.arguments();
    String pagination = arguments.optionalText("pagination").orElse("");
    String name = arguments.optionalText("page_param").orElse(pagination);
    String records = arguments.text("records");
    long size = arguments.has("page_size") ? arguments.integer("page_size") : 0;
    long maxPages = arguments.integer("max_pages");
    URI uri =
        switch (pagination) {
          case "page" -> with(origin, name, Long.toString(arguments.integer("first_page")));
          case "offset" -> with(origin, name, "0");
          default -> origin;
        };
    for (long page = 1; ; page++) {
      JsonNode answer = client.get(uri);
      int rows = json.add(answer, records);
      boolean full = size > 0 ? rows >= size : rows > 0;
      switch (pagination) {
        case "page" ->
            uri =
                full
                    ? with(origin, name, Long.toString(arguments.integer("first_page") + page))
                    : null;
        case "offset" -> uri = full ? with(origin, name, Integer.toString(json.size())) : null;
        case "cursor", "next_link" -> {
          JsonNode next = JsonRows.at(answer, arguments.text("next_path"));
          boolean last = next.isMissingNode() || next.isNull() || next.asText().isEmpty();
          uri = last ? null : next(origin, uri, pagination, name, next.asText());
        }
        default -> uri = null;
      }
      if (uri == null) {
        return;
      }
      if (page == maxPages) {
        throw new IOException("there are more than " + maxPages + " pages, as max_pages has it");
      }
    }
  }

  private static URI next(URI origin, URI page, String pagination, String name, String next)
      throws IOException {
    if (pagination.equals("cursor")) {
      return with(origin, name, next);
    }
    try {
      return page.resolve(next);
    } catch (IllegalArgumentException e) {
      throw new IOException("the next link of a page is no address", e);
    }
  }

  private static URI with(URI uri, String name, String value) {
    try {
      return new URIBuilder(uri).setParameter(name, value).build();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  @Nullable
  private static URI uri(Step step) {
    URI uri;
    try {
      uri = new URI(step.arguments().text("api_url"));
    } catch (URISyntaxException e) {
      step.error("api_url", "api_url is not an address");
      return null;
    }
    if (!ApiClient.isHttp(uri)) {
      step.error("api_url", "api_url must begin with http:// or https:// and name a host");
      return null;
    }
    if (uri.getRawUserInfo() != null) {
      step.error("api_url", "api_url holds a user; give credentials by auth_type and auth_value");
      return null;
    }
    JsonNode params = step.arguments().raw("api_params");
    if (params != null && !params.isObject()) {
      step.error("api_params", "api_params must be a map of name: value");
      return null;
    }
    if (params != null) {
      for (Map.Entry<String, JsonNode> param : params.properties()) {
        uri = with(uri, param.getKey(), param.getValue().asText());
      }
    }
    Arguments arguments = step.arguments();
    if (arguments.has("page_size_param") && arguments.has("page_size")) {
      uri =
          with(
              uri,
              arguments.text("page_size_param"),
              Long.toString(arguments.integer("page_size")));
    }
    return uri;
  }

  private static boolean pagesAreNamed(Step step) {
    String pagination = step.arguments().optionalText("pagination").orElse("");
    boolean byAnswer = pagination.equals("cursor") || pagination.equals("next_link");
    if (byAnswer && !step.arguments().has("next_path")) {
      step.error("next_path", "next_path is missing, which pagination '" + pagination + "' needs");
      return false;
    }
    return true;
  }

  private static boolean authIsWhole(Step step) {
    if (step.arguments().has("auth_type") != step.arguments().has("auth_value")) {
      step.error(
          step.arguments().has("auth_type") ? "auth_value" : "auth_type",
          "auth_type and auth_value go together, but only one is given");
      return false;
    }
    return true;
  }
}
