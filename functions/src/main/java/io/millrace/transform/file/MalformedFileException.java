package io.millrace.transform.file;

import java.io.IOException;

/** A file that is not what it should be; one line that names the file and the place in it. */
public final class MalformedFileException extends IOException {
  private static final long serialVersionUID = 1L;

  public MalformedFileException(String message) {
    super(message);
  }

  public MalformedFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
