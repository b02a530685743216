package io.millrace.event;

import java.util.Objects;

/**
 * Two figures of a run that must agree: a row of {@code quality/cross_checks}.
 *
 * @param runId the run, as in the ledger
 * @param mode {@code streaming} or {@code bounded}
 * @param checkedAt when it was checked, epoch ms of the wall clock
 * @param checkpoint the checkpoint that the figures are of; -1 for the end of input, 0 when they
 *     are of a window
 * @param name what is checked, one of the names below
 * @param subject the table or counter that it is about
 * @param windowStart start of the window, epoch ms; {@link Origin#NO_TIME} when it is about a run
 * @param found the figure that is checked
 * @param expected what it is compared with
 * @param holds the verdict
 */
public record CrossCheck(
    String runId,
    String mode,
    long checkedAt,
    long checkpoint,
    String name,
    String subject,
    long windowStart,
    long found,
    long expected,
    boolean holds) {

  /** The sum of a counter over the finest cells of a window equals that of the grand total. */
  public static final String LEAVES_EQUAL_ALL = "leaves_equal_all";

  /** Distinct users of a window in all are at most the sum over its finest cells. */
  public static final String USERS_AT_MOST_LEAVES = "users_at_most_leaves";

  /** Events in closed and open sessions are the accepted ones that were not late. */
  public static final String SESSION_EVENTS = "session_events";

  public CrossCheck {
    Objects.requireNonNull(runId, "runId");
    Objects.requireNonNull(mode, "mode");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(subject, "subject");
  }
}
