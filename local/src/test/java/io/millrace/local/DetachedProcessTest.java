package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DetachedProcessTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private Process process;

  @AfterEach
  void end() {
    process.destroyForcibly().onExit().join();
  }

  @Test
  void endsWhenItIsStopped() throws IOException {
    process = new ProcessBuilder("sleep", "321.123").start();
    DetachedProcess known = new DetachedProcess(process.pid(), "321.123");
    Await.until("the start of sleep", PATIENCE, known::isAlive);
    known.stop(PATIENCE);
    assertThat(known.isAlive()).isFalse();
    assertThat(process.onExit().join().exitValue()).isEqualTo(128 + 15);
  }

  /** A number is given to another process some time after the end of the first. */
  @Test
  void anotherProcessOfThatNumberIsLeftAlone() throws IOException {
    process = new ProcessBuilder("sleep", "321.123").start();
    DetachedProcess known = new DetachedProcess(process.pid(), "-Dmillrace.part=/gone");
    assertThat(known.isAlive()).isFalse();
    known.stop(PATIENCE);
    known.kill();
    assertThat(process.isAlive()).isTrue();
  }

  @Test
  void ignoringATermItIsKilled() throws IOException {
    process =
        new ProcessBuilder("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done # x9")
            .start();
    assertThat(process.getInputStream().read()).isEqualTo('r');
    new DetachedProcess(process.pid(), "# x9").stop(Duration.ofMillis(300));
    assertThat(process.onExit().join().exitValue()).isEqualTo(128 + 9);
  }
}
