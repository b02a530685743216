package io.millrace.transform;

/** Rows do not pass a quality gate: the job ends, and the run reports the checks that failed. */
public final class QualityGateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Ends the job.
   *
   * @param step the gate's step id
   * @param failed names of the checks that failed
   */
  public QualityGateException(String step, String failed) {
    super("quality checks of step '" + step + "' failed: " + failed);
  }
}
