package io.millrace.config;

import java.util.regex.Pattern;

/** Which keys hold secrets, and what stands in place of their values. */
public final class Redaction {
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

  /** The credentials of a URL. */
  private static final Pattern USER_INFO = Pattern.compile("//[^/@\\s]+@");

  private Redaction() {}

  static boolean looksSecret(String key) {
    return SECRET_KEY.matcher(key).find();
  }

  /** What a message may show of a value. */
  public static String redact(String key, String value) {
    if (looksSecret(key)) {
      return HIDDEN;
    }
    String withoutParts = SECRET_PART.matcher(value).replaceAll("$1" + HIDDEN);
    return USER_INFO.matcher(withoutParts).replaceAll("//" + HIDDEN + "@");
  }
}
