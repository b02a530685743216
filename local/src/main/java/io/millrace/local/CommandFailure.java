package io.millrace.local;

/** A command cannot do what it was asked to, for a reason that its one line tells. */
final class CommandFailure extends RuntimeException {
  CommandFailure(String message) {
    super(message);
  }

  CommandFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
