package io.millrace.local;

import org.junit.jupiter.api.Assumptions;

/**
 * Packages of the machine that a test needs and that nobody has to have: without one the test is
 * skipped with a line that says so, and fails where {@code CI} is {@code true}.
 */
final class OptionalPackages {
  private OptionalPackages() {}

  static void requirePostgres() {
    require(PostgresServer.isInstalled(), "postgresql");
  }

  /** Which comes along with postgresql, too. */
  static void requireOpenssl() {
    require(MonitoringProcess.program("openssl").isPresent(), "openssl");
  }

  /** With {@code promtool} and {@code amtool}, which come along. */
  static void requirePrometheus() {
    require(MonitoringProcess.program("prometheus").isPresent(), "prometheus");
    require(MonitoringProcess.program("alertmanager").isPresent(), "prometheus-alertmanager");
  }

  private static void require(boolean installed, String name) {
    if (installed) {
      return;
    }
    String what = "package " + name + " is not installed (apt-get install " + name + ")";
    if ("true".equals(System.getenv("CI"))) {
      throw new IllegalStateException(what + ", and CI needs it");
    }
    System.out.println("Tests are skipped: " + what);
    Assumptions.abort(what);
  }
}
