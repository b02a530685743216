package io.millrace.config;

import java.io.Serializable;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * A reference to a secret, {@code env:NAME} or {@code file:/path}, which is read where it is used:
 * only the reference travels with a job, and not even that is printed.
 */
public final class Secret implements Serializable {
  private static final long serialVersionUID = 1L;

  private final String reference;

  private Secret(String reference) {
    this.reference = reference;
  }

  /** Refuses anything but a reference, without repeating it: it may be the secret itself. */
  public static Secret of(String reference) {
    Objects.requireNonNull(reference, "reference");
    if (!References.isReference(reference)) {
      throw new IllegalArgumentException(
          "a secret is given by reference, as env:NAME or file:/path");
    }
    return new Secret(reference);
  }

  /** Where the secret is kept; safe to show. */
  public String reference() {
    return reference;
  }

  /**
   * Reads the secret; a file's last line break is not part of it.
   *
   * @throws ConfigException naming the reference when there is nothing to read
   */
  public String resolve() {
    return resolve(System::getenv);
  }

  String resolve(UnaryOperator<String> environment) {
    return References.resolve(reference, environment);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Secret secret && reference.equals(secret.reference);
  }

  @Override
  public int hashCode() {
    return reference.hashCode();
  }

  @Override
  public String toString() {
    return Redaction.HIDDEN;
  }
}
