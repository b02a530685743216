package io.millrace.lake.publish;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.lake.publish.Erasure.Found;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.annotation.Nullable;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/**
 * What is kept of an erasure: that it was, why, and what it took out of which table. Whoever has
 * the id can tell, by the salt and the hash, whether it was that person's; who has not would have
 * to guess, at the cost of the iterations for each guess.
 *
 * @param erasure a name of its own
 * @param begunAt ISO-8601 in UTC
 * @param endedAt null while it is at work, or when it was interrupted: until the person is erased
 *     again
 * @param salt random, in hex
 * @param userHash PBKDF2-HMAC-SHA256 of the id, in hex
 * @param tables what was found so far; empty while it is at work
 */
public record ErasureRecord(
    String erasure,
    String begunAt,
    @Nullable String endedAt,
    String reason,
    String salt,
    String userHash,
    List<OfTable> tables) {
  /** Holds the records, at the lake's root. */
  public static final String FOLDER = "_erasures";

  private static final int ITERATIONS = 600_000;
  private static final int HASH_BITS = 256;
  private static final int SALT_BYTES = 16;
  private static final ObjectMapper JSON = new ObjectMapper();

  public ErasureRecord {
    tables = List.copyOf(tables);
  }

  /** The record of an erasure that begins. */
  public static ErasureRecord begin(String erasure, String user, String reason, String now) {
    byte[] salt = new byte[SALT_BYTES];
    new SecureRandom().nextBytes(salt);
    return new ErasureRecord(
        erasure, now, null, reason, HexFormat.of().formatHex(salt), hash(user, salt), List.of());
  }

  /** What was removed from a table. */
  public record OfTable(String table, long rows, long files, long partitions) {}

  /** The same with what was found. */
  public ErasureRecord with(List<Found> found) {
    List<OfTable> counts =
        found.stream()
            .map(f -> new OfTable(f.table().name(), f.rows(), f.files(), f.partitions()))
            .toList();
    return new ErasureRecord(erasure, begunAt, endedAt, reason, salt, userHash, counts);
  }

  /** The same, of one that has ended. */
  public ErasureRecord end(String now) {
    return new ErasureRecord(erasure, begunAt, now, reason, salt, userHash, tables);
  }

  /**
   * Those that had not ended at an instant: what was read from the lake then can hold rows that
   * they have taken out since.
   *
   * @param root the lake's
   */
  public static List<ErasureRecord> notEndedBy(Instant instant, Path root) throws IOException {
    List<ErasureRecord> found = new ArrayList<>();
    for (FileStatus file : Completion.list(new Path(root, FOLDER))) {
      if (file.getPath().getName().endsWith(".json")) {
        read(file.getPath()).filter(record -> !record.endedBy(instant)).ifPresent(found::add);
      }
    }
    return found;
  }

  private boolean endedBy(Instant instant) {
    return endedAt != null && !Instant.parse(endedAt).isAfter(instant);
  }

  private static Optional<ErasureRecord> read(Path file) throws IOException {
    try (FSDataInputStream in = file.getFileSystem().open(file)) {
      JsonNode json = JSON.readTree(in.readAllBytes());
      List<OfTable> tables = new ArrayList<>();
      for (JsonNode table : json.required("tables")) {
        tables.add(
            new OfTable(
                table.required("table").asText(),
                table.required("rows").asLong(),
                table.required("files").asLong(),
                table.required("partitions").asLong()));
      }
      return Optional.of(
          new ErasureRecord(
              json.required("erasure").asText(),
              json.required("begun_at").asText(),
              json.required("ended_at").textValue(),
              json.required("reason").asText(),
              json.required("salt").asText(),
              json.required("user_hash").asText(),
              tables));
    } catch (FileNotFoundException e) {
      // It was listed, and taken back since.
      return Optional.empty();
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new IOException(file + " is not the record of an erasure: " + e.getMessage(), e);
    }
  }

  /** Whether this was about a user. */
  public boolean isAbout(String user) {
    return hash(user, HexFormat.of().parseHex(salt)).equals(userHash);
  }

  private static String hash(String user, byte[] salt) {
    PBEKeySpec spec = new PBEKeySpec(user.toCharArray(), salt, ITERATIONS, HASH_BITS);
    try {
      return HexFormat.of()
          .formatHex(
              SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                  .generateSecret(spec)
                  .getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has PBKDF2", e);
    } finally {
      spec.clearPassword();
    }
  }

  /** Where the record is. */
  public Path file(Path root) {
    return new Path(root, FOLDER + "/" + erasure + ".json");
  }

  /** Takes back one that has not begun after all. */
  public void remove(Path root) throws IOException {
    Path file = file(root);
    file.getFileSystem().delete(file, false);
  }

  /** Writes it below a lake's root, whole. */
  public void write(Path root) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.put("erasure", erasure);
    json.put("begun_at", begunAt);
    json.put("ended_at", endedAt);
    json.put("reason", reason);
    json.put("hash", "PBKDF2WithHmacSHA256");
    json.put("iterations", ITERATIONS);
    json.put("salt", salt);
    json.put("user_hash", userHash);
    ArrayNode of = json.putArray("tables");
    for (OfTable found : tables) {
      ObjectNode table = of.addObject();
      table.put("table", found.table());
      table.put("rows", found.rows());
      table.put("files", found.files());
      table.put("partitions", found.partitions());
    }
    byte[] bytes = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
    Path file = file(root);
    file.getFileSystem().mkdirs(file.getParent());
    WholeFile.write(file, new ByteArrayInputStream(bytes));
  }
}
