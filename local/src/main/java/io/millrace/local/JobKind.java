package io.millrace.local;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The jobs that can be submitted by a name. */
enum JobKind {
  ENGAGEMENT("engagement", EngagementJob.class.getName()) {
    @Override
    Prepared prepare(DetachedStack stack, List<String> given) {
      List<String> arguments = new ArrayList<>(given);
      if (arguments.stream().noneMatch(a -> a.equals("--config") || a.startsWith("--config="))) {
        arguments.addAll(0, List.of("--config", stack.engagementConfig().toString()));
      }
      EngagementConfig config = EngagementConfig.parse(arguments.toArray(String[]::new));
      if (config.runId() == null) {
        // One run in the ledger, over all upgrades.
        arguments.addAll(List.of("--job.run-id", label() + "-" + Instant.now()));
      }
      return new Prepared(config.jobName(), arguments);
    }
  };

  private final String label;
  private final String mainClass;

  /**
   * Arguments that are complete and valid.
   *
   * @param jobName what Flink will call the job
   */
  record Prepared(String jobName, List<String> arguments) {}

  JobKind(String label, String mainClass) {
    this.label = label;
    this.mainClass = mainClass;
  }

  /**
   * Completes a job's arguments.
   *
   * @throws io.millrace.config.ConfigException with every problem
   */
  abstract Prepared prepare(DetachedStack stack, List<String> given);

  /** What a person types. */
  String label() {
    return label;
  }

  String mainClass() {
    return mainClass;
  }

  /**
   * The job of that name.
   *
   * @throws IllegalArgumentException when there is none, with those that there are
   */
  static JobKind named(String name) {
    return Arrays.stream(values())
        .filter(kind -> kind.label.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "JOB is '"
                        + name
                        + "', but must be one of: "
                        + Arrays.stream(values())
                            .map(JobKind::label)
                            .collect(Collectors.joining(", "))));
  }
}
