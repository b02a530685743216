package io.millrace.transform.llm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * Answers of a language model, kept as JSON lines by the hash of what was asked, so that a run that
 * is repeated is not billed again. It holds no prompt. A line that was cut off by a crash is left
 * out.
 */
final class AnswerFile implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, String> answers = new HashMap<>();
  private final BufferedWriter writer;

  private AnswerFile(BufferedWriter writer) {
    this.writer = writer;
  }

  static AnswerFile open(Path path) throws IOException {
    Map<String, String> read = new HashMap<>();
    boolean cut = false;
    if (Files.exists(path)) {
      try (BufferedReader reader = Files.newBufferedReader(path)) {
        String line;
        while ((line = reader.readLine()) != null) {
          cut = !line.endsWith("}");
          if (!cut) {
            JsonNode entry = JSON.readTree(line);
            read.put(entry.get("hash").asText(), entry.get("answer").asText());
          }
        }
      }
    } else {
      Files.createDirectories(path.getParent());
    }
    BufferedWriter writer =
        Files.newBufferedWriter(
            path, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    if (cut) {
      writer.newLine();
    }
    AnswerFile file = new AnswerFile(writer);
    file.answers.putAll(read);
    return file;
  }

  @Nullable
  synchronized String find(String hash) {
    return answers.get(hash);
  }

  /** Keeps the answer, and returns it. */
  synchronized String keep(String hash, String answer) {
    try {
      writer.write(
          JSON.writeValueAsString(JSON.createObjectNode().put("hash", hash).put("answer", answer)));
      writer.newLine();
      writer.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    answers.put(hash, answer);
    return answer;
  }

  @Override
  public synchronized void close() throws IOException {
    writer.close();
  }
}
