package io.millrace.job.engagement;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import java.util.UUID;

/**
 * Which run of which version this is.
 *
 * @param id in the ledger and in the footer of each file
 * @param version of Millrace
 */
public record RunInfo(String id, String version) {

  /** The configured run, or a fresh one. */
  static RunInfo of(EngagementConfig config) {
    String id = config.runId() == null ? UUID.randomUUID().toString() : config.runId();
    return new RunInfo(id, buildVersion());
  }

  private static String buildVersion() {
    Properties build = new Properties();
    try (InputStream in = RunInfo.class.getResourceAsStream("/io/millrace/job/build.properties")) {
      build.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException("build.properties is missing from the jar", e);
    }
    return build.getProperty("version");
  }
}
