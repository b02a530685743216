package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.local.FlinkRest.Job;
import java.util.List;
import org.junit.jupiter.api.Test;

class JobControlTest {
  /** What an upgrade gives up must not run on beside the old version. */
  @Test
  void aJobThatTheClientDidNotHearOfIsFoundByItsName() {
    Job old = new Job("a", "millrace-engagement", "FINISHED", 1);
    Job other = new Job("b", "another", "RUNNING", 4);
    Job failed = new Job("c", "millrace-engagement", "FAILED", 3);
    for (String state : List.of("INITIALIZING", "CREATED", "RUNNING", "RESTARTING")) {
      Job taken = new Job("d", "millrace-engagement", state, 2);
      assertThat(JobControl.unheardOf(List.of(other, failed, taken, old), "millrace-engagement"))
          .as(state)
          .isEqualTo("d");
    }
    assertThat(JobControl.unheardOf(List.of(other, failed, old), "millrace-engagement")).isNull();
  }
}
