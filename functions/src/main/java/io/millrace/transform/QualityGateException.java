package io.millrace.transform;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * Rows do not pass a quality gate: the job ends, whatever its restart strategy, since the same rows
 * would fail again, and the run reports the checks that failed.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
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
