package io.millrace.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A process that outlives the JVM that started it.
 *
 * @param pid its number, which the system gives to another process some time after its end
 * @param mark a part of its command line that no other process has
 */
record DetachedProcess(long pid, String mark) {
  private static final Duration KILL_TIMEOUT = Duration.ofSeconds(10);

  /**
   * Whether the process with that number is still this one; one that only waits to be buried is
   * not.
   */
  boolean isAlive() {
    try {
      byte[] line = Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline"));
      return new String(line, StandardCharsets.UTF_8).contains(mark);
    } catch (IOException e) {
      return false;
    }
  }

  /** Asks it to end (SIGTERM), and kills it when that takes too long; returns when it is gone. */
  void stop(Duration patience) {
    if (isAlive()) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
    }
    try {
      Await.until("the end of process " + pid, patience, () -> !isAlive());
    } catch (IllegalStateException e) {
      kill();
    }
  }

  /** Ends it at once, as a crash would (SIGKILL); returns when it is gone. */
  void kill() {
    if (isAlive()) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
    Await.until("the end of process " + pid, KILL_TIMEOUT, () -> !isAlive());
  }
}
