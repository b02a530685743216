package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.io.IOException;
import java.util.Formatter;
import java.util.Locale;

/** Arrow data that is not read, and why. */
final class BadArrowException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient ArrowRejection rejection;

  BadArrowException(ArrowRejection rejection) {
    super(rejection.toString());
    this.rejection = rejection;
  }

  static BadArrowException of(Reason reason, String format, Object... arguments) {
    String detail = new Formatter(Locale.ROOT).format(format, arguments).toString();
    return new BadArrowException(new ArrowRejection(reason, detail));
  }

  static BadArrowException malformed(String format, Object... arguments) {
    return of(Reason.MALFORMED, format, arguments);
  }

  ArrowRejection rejection() {
    return rejection;
  }
}
