package io.millrace.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import javax.annotation.Nullable;

/**
 * How a job was last submitted to a stack, so that it can be submitted so again.
 *
 * @param jobName what Flink calls the job
 * @param jobId of the job that Flink made of it
 * @param jar a copy that no build replaces
 * @param arguments all of them, the configuration's file among them
 * @param savepoint where its state came from; null for none
 */
record Submission(
    String jobName,
    String jobId,
    String jar,
    List<String> arguments,
    int parallelism,
    @Nullable String savepoint) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private static Path file(DetachedStack stack, JobKind kind) {
    return stack.folder().resolve("jobs").resolve(kind.label() + ".json");
  }

  static Optional<Submission> read(DetachedStack stack, JobKind kind) {
    try {
      return Optional.of(JSON.readValue(Files.readAllBytes(file(stack, kind)), Submission.class));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file(stack, kind), e);
    }
  }

  void write(DetachedStack stack, JobKind kind) {
    Path file = file(stack, kind);
    try {
      Files.createDirectories(file.getParent());
      Path draft = Files.write(file.resolveSibling("draft"), JSON.writeValueAsBytes(this));
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
