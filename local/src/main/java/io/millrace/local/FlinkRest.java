package io.millrace.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import javax.annotation.Nullable;

/** What the commands ask of a JobManager, over its REST interface. */
final class FlinkRest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final HttpClient HTTP =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(3)).build();

  private final String host;
  private final int port;

  /**
   * A job.
   *
   * @param state of Flink's: RUNNING, RESTARTING, FAILED and so on
   * @param start when it was submitted, in ms
   */
  record Job(String id, String name, String state, long start) {
    /** Whether it will not run again. */
    boolean hasEnded() {
      return List.of("FAILED", "CANCELED", "FINISHED").contains(state);
    }
  }

  /**
   * How far a job is.
   *
   * @param tasks all of its subtasks
   * @param running those that run
   * @param parallelism of its widest operator
   * @param recordsRead by all subtasks of its sources since its last start; 0 until it is known
   */
  record Progress(String state, int tasks, int running, int parallelism, long recordsRead) {
    boolean everyTaskRuns() {
      return state.equals("RUNNING") && running == tasks;
    }
  }

  /**
   * A job's checkpoints.
   *
   * @param completed since it was submitted
   * @param lastEnd when the last one was complete, in ms; 0 while there is none
   * @param lastPath where it lies; null while there is none
   */
  record Checkpoints(long completed, long failed, long lastEnd, @Nullable String lastPath) {}

  /** A savepoint that will not be complete. */
  static final class SavepointFailure extends IOException {
    SavepointFailure(String message) {
      super(message);
    }
  }

  FlinkRest(String host, int port) {
    this.host = host;
    this.port = port;
  }

  String host() {
    return host;
  }

  int port() {
    return port;
  }

  /** Whether a JobManager answers that may run jobs. */
  boolean isLeading() throws IOException {
    return get("/overview").has("slots-total");
  }

  boolean hasTaskManager(String id) throws IOException {
    for (JsonNode manager : get("/taskmanagers").path("taskmanagers")) {
      if (manager.path("id").asText().equals(id)) {
        return true;
      }
    }
    return false;
  }

  /** Slots, and those of them that no task takes. */
  int[] slots() throws IOException {
    JsonNode overview = get("/overview");
    return new int[] {
      overview.path("slots-total").asInt(), overview.path("slots-available").asInt()
    };
  }

  /** All jobs that the JobManager remembers, the newest first. */
  List<Job> jobs() throws IOException {
    List<Job> jobs = new ArrayList<>();
    for (JsonNode job : get("/jobs/overview").path("jobs")) {
      jobs.add(
          new Job(
              job.path("jid").asText(),
              job.path("name").asText(),
              job.path("state").asText(),
              job.path("start-time").asLong()));
    }
    jobs.sort((a, b) -> Long.compare(b.start(), a.start()));
    return jobs;
  }

  Progress progress(String job) throws IOException {
    JsonNode details = get("/jobs/" + job);
    int tasks = 0;
    int running = 0;
    int parallelism = 0;
    for (JsonNode vertex : details.path("vertices")) {
      tasks += vertex.path("parallelism").asInt();
      running += vertex.path("tasks").path("RUNNING").asInt();
      parallelism = Math.max(parallelism, vertex.path("parallelism").asInt());
    }
    // Sources are what nothing flows into.
    List<String> fed = new ArrayList<>();
    for (JsonNode node : details.path("plan").path("nodes")) {
      if (!node.path("inputs").isEmpty()) {
        fed.add(node.path("id").asText());
      }
    }
    long read = 0;
    for (JsonNode vertex : details.path("vertices")) {
      if (!fed.contains(vertex.path("id").asText())) {
        read += vertex.path("metrics").path("write-records").asLong();
      }
    }
    return new Progress(details.path("state").asText(), tasks, running, parallelism, read);
  }

  /** Records that the sources know of and have not read yet; empty sources have none. */
  long pending(String job) throws IOException {
    long pending = 0;
    for (JsonNode vertex : get("/jobs/" + job).path("vertices")) {
      String metrics =
          "/jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
      String names =
          StreamSupport.stream(get(metrics).spliterator(), false)
              .map(metric -> metric.path("id").asText())
              .filter(id -> id.endsWith(".pendingRecords"))
              .collect(Collectors.joining(","));
      if (!names.isEmpty()) {
        for (JsonNode metric : get(metrics + "?get=" + names.replace(" ", "%20"))) {
          pending += metric.path("sum").asLong();
        }
      }
    }
    return pending;
  }

  /** The slots' TaskManagers that run a task of the job. */
  Set<String> taskManagersOf(String job) throws IOException {
    Set<String> ids = new TreeSet<>();
    for (JsonNode vertex : get("/jobs/" + job).path("vertices")) {
      for (JsonNode task :
          get("/jobs/" + job + "/vertices/" + vertex.path("id").asText()).path("subtasks")) {
        ids.add(task.path("taskmanager-id").asText());
      }
    }
    return ids;
  }

  /** How often the whole job was started again after a failure. */
  long restarts(String job) throws IOException {
    for (JsonNode metric : get("/jobs/" + job + "/metrics?get=numRestarts")) {
      return metric.path("value").asLong();
    }
    return 0;
  }

  Checkpoints checkpoints(String job) throws IOException {
    JsonNode found = get("/jobs/" + job + "/checkpoints");
    JsonNode last = found.path("latest").path("completed");
    return new Checkpoints(
        found.path("counts").path("completed").asLong(),
        found.path("counts").path("failed").asLong(),
        last.path("latest_ack_timestamp").asLong(),
        last.hasNonNull("external_path") ? last.path("external_path").asText() : null);
  }

  /** The last failure's own words, without its trace; null when there was none. */
  @Nullable
  String lastFailure(String job) throws IOException {
    for (JsonNode entry :
        get("/jobs/" + job + "/exceptions?maxExceptions=1")
            .path("exceptionHistory")
            .path("entries")) {
      return Failures.rootOf(entry.path("stacktrace").asText());
    }
    return null;
  }

  /** Begins a savepoint; its request. */
  String triggerSavepoint(String job) throws IOException {
    ObjectNode body = JSON.createObjectNode();
    body.put("cancel-job", false);
    body.put("formatType", "CANONICAL");
    return post("/jobs/" + job + "/savepoints", body).path("request-id").asText();
  }

  /**
   * Begins a savepoint with which the job ends; its request.
   *
   * @param drain whether all windows are closed before, for good: at the end of a job's life only
   */
  String stopWithSavepoint(String job, boolean drain) throws IOException {
    ObjectNode body = JSON.createObjectNode();
    body.put("drain", drain);
    body.put("formatType", "CANONICAL");
    return post("/jobs/" + job + "/stop", body).path("request-id").asText();
  }

  /**
   * Where the savepoint lies; null while it is not complete.
   *
   * @throws SavepointFailure when it failed, with the reason
   */
  @Nullable
  String savepoint(String job, String request) throws IOException {
    JsonNode found = get("/jobs/" + job + "/savepoints/" + request);
    if (!found.path("status").path("id").asText().equals("COMPLETED")) {
      return null;
    }
    JsonNode operation = found.path("operation");
    if (operation.has("failure-cause")) {
      throw new SavepointFailure(
          "the savepoint failed: "
              + Failures.rootOf(operation.path("failure-cause").path("stack-trace").asText()));
    }
    return operation.path("location").asText();
  }

  void cancel(String job) throws IOException {
    send(HttpRequest.newBuilder(uri("/jobs/" + job)).method("PATCH", BodyPublishers.noBody()));
  }

  private JsonNode get(String path) throws IOException {
    return send(HttpRequest.newBuilder(uri(path)).GET());
  }

  private JsonNode post(String path, JsonNode body) throws IOException {
    return send(
        HttpRequest.newBuilder(uri(path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body.toString())));
  }

  private URI uri(String path) {
    return URI.create("http://" + host + ":" + port + path);
  }

  private JsonNode send(HttpRequest.Builder request) throws IOException {
    HttpResponse<String> response;
    try {
      response = HTTP.send(request.timeout(TIMEOUT).build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while asking the JobManager", e);
    } catch (IOException e) {
      throw new IOException("no answer from the JobManager at " + host + ":" + port, e);
    }
    JsonNode body = JSON.readTree(response.body().isEmpty() ? "{}" : response.body());
    if (response.statusCode() >= 400) {
      String reason =
          StreamSupport.stream(body.path("errors").spliterator(), false)
              .map(JsonNode::asText)
              .reduce((first, last) -> last)
              .map(Failures::rootOf)
              .orElse("HTTP " + response.statusCode());
      throw new IOException("the JobManager refuses: " + reason);
    }
    return body;
  }
}
