package io.millrace.transform.file;

import java.io.Serializable;
import java.util.List;

/** The texts that stand for null in a file; a field has to be one of them whole. */
public final class NullTokens implements Serializable {
  private static final long serialVersionUID = 1L;

  /** What pandas takes for null when it is told nothing. */
  public static final List<String> PANDAS =
      List.of(
          "",
          "#N/A",
          "#N/A N/A",
          "#NA",
          "-1.#IND",
          "-1.#QNAN",
          "-NaN",
          "-nan",
          "1.#IND",
          "1.#QNAN",
          "<NA>",
          "N/A",
          "NA",
          "NULL",
          "NaN",
          "None",
          "n/a",
          "nan",
          "null");

  private static final int ASCII = 128;

  private final char[][] tokens;
  private final boolean[] first = new boolean[ASCII];
  private boolean firstBeyondAscii;
  private boolean empty;
  private int longest;

  public NullTokens(List<String> tokens) {
    this.tokens = new char[tokens.size()][];
    for (int i = 0; i < this.tokens.length; i++) {
      char[] token = tokens.get(i).toCharArray();
      this.tokens[i] = token;
      longest = Math.max(longest, token.length);
      if (token.length == 0) {
        empty = true;
      } else if (token[0] < ASCII) {
        first[token[0]] = true;
      } else {
        firstBeyondAscii = true;
      }
    }
  }

  boolean matches(char[] text, int offset, int length) {
    if (length == 0) {
      return empty;
    }
    char c = text[offset];
    if (length > longest || !(c < ASCII ? first[c] : firstBeyondAscii)) {
      return false;
    }
    for (char[] token : tokens) {
      if (token.length == length) {
        int i = 0;
        while (i < length && token[i] == text[offset + i]) {
          i++;
        }
        if (i == length) {
          return true;
        }
      }
    }
    return false;
  }
}
