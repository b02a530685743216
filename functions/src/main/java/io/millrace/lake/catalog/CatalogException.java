package io.millrace.lake.catalog;

/** A call to the catalog failed; {@link #retryable()} tells whether a later try can succeed. */
public final class CatalogException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean retryable;

  public CatalogException(String message, boolean retryable, Throwable cause) {
    super(message, cause);
    this.retryable = retryable;
  }

  /** False when the catalog refused, for example a column of another type. */
  public boolean retryable() {
    return retryable;
  }
}
