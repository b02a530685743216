package io.millrace.lake.publish;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@code _SUCCESS} file of a complete partition: what readers may rely on.
 *
 * @param fileRows rows by file name
 * @param generation 1, and one more each time that late files changed a complete partition
 * @param completedAt epoch ms, wall clock
 * @param watermark epoch ms that made it complete; {@link Long#MAX_VALUE} at the end of input
 */
public record SuccessFile(
    NavigableMap<String, Long> fileRows, long generation, long completedAt, long watermark) {
  /** Its name in the partition's folder. */
  public static final String NAME = "_SUCCESS";

  /** What stands for the watermark at the end of input. */
  public static final String END_OF_INPUT = "end_of_input";

  private static final Logger LOG = LoggerFactory.getLogger(SuccessFile.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  public SuccessFile {
    fileRows = Collections.unmodifiableNavigableMap(new TreeMap<>(fileRows));
  }

  /** All rows of the partition. */
  public long rows() {
    return fileRows.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The properties of the partition in the catalog. */
  public Map<String, String> properties() {
    return Map.of(
        "millrace.complete", "true",
        "millrace.rows", Long.toString(rows()),
        "millrace.files", Integer.toString(fileRows.size()),
        "millrace.generation", Long.toString(generation));
  }

  /** The file of a partition; empty where the partition has none, or none that can be read. */
  public static Optional<SuccessFile> read(Path folder) throws IOException {
    Path path = new Path(folder, NAME);
    try (FSDataInputStream in = path.getFileSystem().open(path)) {
      JsonNode json = JSON.readTree(in.readAllBytes());
      NavigableMap<String, Long> rows = new TreeMap<>();
      json.path("file_rows").properties().forEach(e -> rows.put(e.getKey(), e.getValue().asLong()));
      return Optional.of(
          new SuccessFile(
              rows,
              json.path("generation").asLong(),
              instant(json.path("completed_at").asText()),
              instant(json.path("watermark").asText())));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (JsonProcessingException | DateTimeException e) {
      LOG.warn("{} is not readable and is written anew: {}", path, e.getMessage());
      return Optional.empty();
    }
  }

  /** Puts the file in place at once: readers see the former one or this one. */
  public void write(Path folder) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.put("rows", rows());
    json.put("files", fileRows.size());
    json.put("generation", generation);
    json.put("completed_at", Instant.ofEpochMilli(completedAt).toString());
    json.put(
        "watermark",
        watermark == Long.MAX_VALUE ? END_OF_INPUT : Instant.ofEpochMilli(watermark).toString());
    ObjectNode files = json.putObject("file_rows");
    fileRows.forEach(files::put);
    byte[] bytes = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);

    WholeFile.write(new Path(folder, NAME), new ByteArrayInputStream(bytes));
  }

  private static long instant(String text) {
    return text.equals(END_OF_INPUT) ? Long.MAX_VALUE : Instant.parse(text).toEpochMilli();
  }
}
