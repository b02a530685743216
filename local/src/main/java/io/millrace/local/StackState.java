package io.millrace.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is known of a stack's processes, in the file `stack.json` of its folder.
 *
 * @param parts by name, in the order in which they are shown
 */
record StackState(Map<String, Part> parts) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * A server.
   *
   * @param pid of its last process
   * @param ports in the order in which it claims them
   */
  record Part(long pid, List<Integer> ports, String address, String log) {}

  static Path file(Path folder) {
    return folder.resolve("stack.json");
  }

  /** Reads what a folder's stack has left; no parts where there is none. */
  static StackState read(Path folder) {
    try {
      return JSON.readValue(Files.readAllBytes(file(folder)), StackState.class);
    } catch (NoSuchFileException e) {
      return new StackState(new LinkedHashMap<>());
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot read " + file(folder) + ": " + e.getMessage().lines().findFirst().orElse(""), e);
    }
  }

  void write(Path folder) {
    try {
      Path draft = Files.createDirectories(folder).resolve("stack.json.draft");
      Files.write(draft, JSON.writeValueAsBytes(this));
      Files.move(draft, file(folder), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file(folder), e);
    }
  }
}
