package io.millrace.config;

import java.util.regex.Pattern;

/** Which keys hold secrets, and what stands in place of their values. */
final class Redaction {
  static final String HIDDEN = "***";

  private static final Pattern SECRET_KEY =
      Pattern.compile(
          "passw|passphrase|jaas|secret|credential|token|private|keystore\\.key$|user\\.info$"
              + "|access[._-]?key|api[._-]?key",
          Pattern.CASE_INSENSITIVE);

  /** A secret inside a value, as in a URL's query. */
  private static final Pattern SECRET_PART =
      Pattern.compile(
          "(\\w*(?:passw|passphrase|secret|token)\\w*=)[^&;\\s]+", Pattern.CASE_INSENSITIVE);

  private Redaction() {}

  static boolean looksSecret(String key) {
    return SECRET_KEY.matcher(key).find();
  }

  static String redact(String key, String value) {
    return looksSecret(key) ? HIDDEN : SECRET_PART.matcher(value).replaceAll("$1" + HIDDEN);
  }
}
