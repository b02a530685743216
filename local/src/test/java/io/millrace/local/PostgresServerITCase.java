package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresServerITCase {

  @BeforeAll
  static void needsThePackage() {
    OptionalPackages.requirePostgres();
  }

  @Test
  void rowsOutliveARestartAndTheFolderDoesNotOutliveTheServer() throws Exception {
    Path folder;
    try (PostgresServer server = PostgresServer.startTemporary()) {
      folder = server.folder();
      try (Connection connection = server.connect();
          Statement sql = connection.createStatement()) {
        sql.execute("CREATE TABLE numbers (n int)");
        sql.execute("INSERT INTO numbers VALUES (7)");
      }
      server.restart();
      try (Connection connection = server.connect();
          Statement sql = connection.createStatement();
          ResultSet rows = sql.executeQuery("SELECT n FROM numbers")) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getInt(1)).isEqualTo(7);
      }
    }
    assertThat(folder).doesNotExist();
  }

  @Test
  void serverEndsWithItsParent() throws Exception {
    try (PostgresServer server = PostgresServer.startTemporary()) {
      long postmaster =
          Long.parseLong(
              Files.readAllLines(server.folder().resolve("data").resolve("postmaster.pid")).get(0));
      assertThat(ProcessHandle.of(postmaster)).isPresent();
      server.parentPipe().close();
      Await.until(
          "the server's end",
          Duration.ofSeconds(20),
          () -> !server.isRunning() && ProcessHandle.of(postmaster).isEmpty());
    }
  }

  @Test
  void killedServerLeavesNoProcess() throws Exception {
    try (PostgresServer server = PostgresServer.startTemporary()) {
      long postmaster =
          Long.parseLong(
              Files.readAllLines(server.folder().resolve("data").resolve("postmaster.pid")).get(0));
      server.kill();
      Await.until(
          "the end of process " + postmaster,
          Duration.ofSeconds(20),
          () -> ProcessHandle.of(postmaster).isEmpty());
    }
  }
}
