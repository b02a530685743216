package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FailuresTest {
  @Test
  void theInnermostCauseIsTold() {
    assertThat(
            Failures.rootOf(
                """
                org.apache.flink.client.program.ProgramInvocationException: The main method failed: x
                \tat org.apache.flink.client.Foo.bar(Foo.java:1)
                Caused by: java.util.concurrent.CompletionException: java.io.IOException: no disk
                \tat a.B.c(B.java:2)
                Caused by: java.lang.IllegalStateException: these topics do not exist: a, b
                \t... 12 more
                """))
        .isEqualTo("these topics do not exist: a, b");
  }

  @Test
  void aWrappedMessageLosesTheNamesOfClasses() {
    assertThat(
            Failures.rootOf(
                "java.util.concurrent.CompletionException: java.io.IOException: no disk: full"))
        .isEqualTo("no disk: full");
  }

  @Test
  void anExceptionWithoutAMessageKeepsItsName() {
    assertThat(Failures.rootOf("java.lang.NullPointerException\n\tat a.B.c(B.java:2)"))
        .isEqualTo("java.lang.NullPointerException");
    assertThat(Failures.rootOf("")).isEmpty();
  }
}
